"""Authorising a prepared operation: what is signed, and taking the signature.

The challenge of the passkey is the SafeOp hash, recomputed from the row here and
from the shown fields in the browser (security.md R15, R24).
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from onchain.errors import (
    NotAwaitingSignature,
    OperationExpired,
    SignatureRefused,
)
from onchain.models import Owner, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.account_calls import decode_call_data
from onchain.protocol.deployments import (
    ENTRY_POINT,
    SAFE_4337_MODULE,
)
from onchain.protocol.safe_operation import safe_operation_hash
from onchain.protocol.types import (
    Bytes32,
    checksum_address,
    to_hex,
)
from onchain.protocol.user_operation import init_code, paymaster_and_data
from onchain.services import (
    intents,
    kept_signatures,
    passkeys,
    signatories,
    signing_parts,
)
from onchain.services.signatories import Signatories

logger = logging.getLogger(__name__)


def challenge_of(op: UserOperation) -> Bytes32:
    """Return the 32 bytes to sign, recomputed from the row.

    Raises:
        ValueError: the row no longer hashes to what was prepared.
    """
    if op.valid_after is None or op.valid_until is None:
        raise ValueError(f"{op} has not been prepared")
    digest = safe_operation_hash(
        op.to_protocol(),
        chain_id=op.safe.chain.chain_id,
        valid_after=op.valid_after,
        valid_until=op.valid_until,
    )
    if digest != op.safe_operation_hash:
        raise ValueError(f"{op} was changed after it was prepared")
    return digest


def signing_request(
    *, op: UserOperation, user: User, known: Signatories | None = None
) -> dict[str, object]:
    """Return what static/js/signing.js needs to recompute and sign the operation.

    Args:
        known: who owns and who signed, where the caller has read it.

    Raises:
        ValueError: the row is not what was prepared.
    """
    packed = op.to_protocol()
    calls = decode_call_data(packed.call_data)
    is_plain = op.is_payment and not op.installs_signer
    if not is_plain and intents.calls_of(op) != calls:
        raise intents.IntentChanged(f"{op} does not do what was asked for")
    parts = signing_parts.set_up_parts(op) | signing_parts.asked_parts(op)
    owners = (signatories.of(op) if known is None else known).unsigned(user)
    credentials = passkeys.credentials_of(owners)
    return {
        "kind": "SafeOp",
        "rpId": settings.WEBAUTHN_RP_ID,
        "allowCredentials": passkeys.allow_credentials(credentials),
        "wallets": [owner.address_text for owner in owners if not owner.credential_id],
        "hash": f"0x{challenge_of(op).hex()}",
        "message": {
            "chainId": str(op.safe.chain.chain_id),
            "module": checksum_address(SAFE_4337_MODULE),
            "safe": op.safe.address_text,
            "nonce": str(packed.nonce),
            "initCode": to_hex(init_code(packed.factory)),
            "callData": f"0x{packed.call_data.hex()}",
            "verificationGasLimit": str(packed.verification_gas_limit),
            "callGasLimit": str(packed.call_gas_limit),
            "preVerificationGas": str(packed.pre_verification_gas),
            "maxPriorityFeePerGas": str(packed.max_priority_fee_per_gas),
            "maxFeePerGas": str(packed.max_fee_per_gas),
            "paymasterAndData": f"0x{paymaster_and_data(packed.paymaster).hex()}",
            "validAfter": str(op.valid_after),
            "validUntil": str(op.valid_until),
            "entryPoint": checksum_address(ENTRY_POINT),
        },
        "calls": [
            {
                "to": checksum_address(call.to),
                "valueWei": str(call.value_wei),
                "data": f"0x{call.data.hex()}",
            }
            for call in calls
        ],
        **parts,
    }


def sign(*, op: UserOperation, user: User, response: str) -> None:
    """Take one owner's signature; with the last one needed the operation is SIGNED.

    Safe to repeat: a second signature of the same owner changes nothing. Signatures of
    owners that the chain does not have any more do not count (security.md R67).

    Raises:
        SignatureRefused: the answer authorises nothing; the row is unchanged.
        OperationExpired: too late; the operation is EXPIRED now.
        NotAwaitingSignature: it was withdrawn or ended elsewhere.
    """
    if op.status in kept_signatures.SIGNED_STATES and _is_repeat(op, user, response):
        return
    refuse_unless_awaiting(op)
    owner, signature = _owner_signature(op, user, response)
    kept_signatures.keep(op=op, owner=owner, signature=signature)


def refuse_unless_awaiting(op: UserOperation) -> None:
    """Raise where it is too late for any signature; one expired alone is EXPIRED then.

    Raises:
        OperationExpired: too late.
        NotAwaitingSignature: it was withdrawn or ended elsewhere.
    """
    if op.status != Status.AWAITING_SIGNATURES:
        raise NotAwaitingSignature.about(op.noun)
    _refuse_if_expired(op)


def _is_repeat(op: UserOperation, user: User, response: str) -> bool:
    """Whether this is a double click: the same person's answer, already taken."""
    try:
        owner, _signature = _owner_signature(op, user, response)
    except SignatureRefused:
        return False
    return op.signatures.counting().filter(owner=owner).exists()


def _owner_signature(
    op: UserOperation, user: User, response: str
) -> tuple[Owner, bytes]:
    """Return which of the person's owners answered, and its signature.

    Raises:
        SignatureRefused: none of them did.
    """
    owners = passkeys.own_owners(safe=op.safe, user=user)
    credential, signature = passkeys.verified_signature(
        credentials=passkeys.credentials_of(owners),
        response=response,
        challenge=challenge_of(op),
    )
    return next(own for own in owners if own.credential == credential), signature


def _refuse_if_expired(op: UserOperation) -> None:
    """Where nobody has signed it, it can end at the head, before confirmation (R55)."""
    head = op.safe.chain.head_timestamp
    if head is None or op.valid_until is None or head < op.valid_until:
        return
    if not op.was_ever_signed:
        unsigned = UserOperation.objects.filter(first_signed_at=None)
        unsigned.transition(
            op.pk,
            source=Status.AWAITING_SIGNATURES,
            target=Status.EXPIRED,
            failure_code="expired",
        )
    raise OperationExpired.about(op.noun)


def mark_owners_proven(op: UserOperation) -> None:
    """An included operation proves that its signers' keys work on chain (R6)."""
    signers = Owner.objects.filter(signatures__operation=op, proven_at__isnull=True)
    signers.update(proven_at=timezone.now())
