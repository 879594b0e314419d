"""Who pays: the operator's VerifyingPaymaster within limits, else the account.

The sponsor's signature covers the whole operation, and is itself part of what the
passkey signs (VerifyingPaymaster of account-abstraction v0.7.0; security.md R57).
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from eth_account import Account
from eth_account.messages import encode_defunct

from onchain.models import Chain, Safe, UserOperation
from onchain.protocol.paymaster import (
    verifying_paymaster_data,
    verifying_paymaster_hash,
)
from onchain.protocol.types import Address, to_address
from onchain.protocol.user_operation import Paymaster, UserOperationV07
from onchain.protocol.validation import gas_limit_total

VERIFICATION_GAS = 60_000  # gas
POST_OP_GAS = 0  # VerifyingPaymaster has no postOp


def paymaster_address() -> Address | None:
    """Return the configured VerifyingPaymaster, None where nobody is sponsored."""
    text = settings.PAYMASTER_ADDRESS
    return to_address(text) if text else None


def is_affordable(op: UserOperationV07) -> bool:
    """Whether the most this operation can cost is within the cap for one."""
    return gas_limit_total(op) * op.max_fee_per_gas <= settings.SPONSOR_OPERATION_WEI


def has_room(*, safe: Safe) -> bool:
    """Whether today's limits leave room for one more operation of this account."""
    if paymaster_address() is None:
        return False
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    today = UserOperation.objects.filter(
        paymaster__isnull=False, prepared_at__gte=midnight
    )
    confirmed = safe.chain.confirmed_timestamp
    if confirmed is not None:
        # What nobody signed takes no place once it cannot be included any more. Until
        # then it does: it was shown with the sponsor's signature, and whoever has it
        # can sign it and send it elsewhere.
        spent = Q(signed_at__isnull=False) | Q(included_at__isnull=False)
        today = today.filter(spent | Q(valid_until__gte=confirmed))
    return (
        today.filter(safe=safe).count() < settings.SPONSOR_DAILY_OPERATIONS
        and today.filter(safe__chain=safe.chain_id).count()
        < settings.SPONSOR_DAILY_TOTAL
    )


def stub(*, private_key: str) -> Paymaster | None:
    """Return a paymaster for gas estimation.

    Its signature is a real one over nothing, because VerifyingPaymaster reverts on
    bytes that recover to no address, while a wrong signer only fails validation.
    """
    address = paymaster_address()
    if address is None:
        return None
    return Paymaster(
        address=address,
        verification_gas_limit=VERIFICATION_GAS,
        post_op_gas_limit=POST_OP_GAS,
        data=verifying_paymaster_data(
            valid_until=2**48 - 1,
            valid_after=0,
            signature=_signature(bytes(32), private_key),
        ),
    )


def signed(
    *, op: UserOperationV07, chain: Chain, valid_until: int, private_key: str
) -> Paymaster:
    """Return the paymaster with the sponsor's signature over the whole operation.

    ``op`` carries the stub, whose address and gas limits are part of the hash.
    """
    if op.paymaster is None:
        raise ValueError("the operation has no paymaster to sign for")
    digest = verifying_paymaster_hash(
        op,
        chain_id=chain.chain_id,
        paymaster=op.paymaster.address,
        valid_until=valid_until,
        valid_after=0,
    )
    return Paymaster(
        address=op.paymaster.address,
        verification_gas_limit=op.paymaster.verification_gas_limit,
        post_op_gas_limit=op.paymaster.post_op_gas_limit,
        data=verifying_paymaster_data(
            valid_until=valid_until,
            valid_after=0,
            signature=_signature(digest, private_key),
        ),
    )


def reserve(*, safe: Safe, pk: int, fields: dict[str, object]) -> bool:
    """Move a draft to AWAITING_SIGNATURES if the limits still have room for it.

    One transaction under a lock on the chain's row, so that parallel asks at the
    limit get exactly the limit.
    """
    with transaction.atomic():
        Chain.objects.select_for_update().get(pk=safe.chain_id)
        if not has_room(safe=safe):
            return False
        return UserOperation.objects.transition(
            pk,
            source=UserOperation.Status.DRAFT,
            target=UserOperation.Status.AWAITING_SIGNATURES,
            **fields,
        )


def _signature(digest: bytes, private_key: str) -> bytes:
    """Return the 65-byte eth_sign signature (EIP-191) of a hash."""
    signed_message = Account.sign_message(encode_defunct(digest), private_key)
    return bytes(signed_message.signature)
