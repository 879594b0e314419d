"""An operation as it is prepared: estimated, and written into its row's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from onchain.clients.bundler import Bundler
from onchain.clients.node_types import AccountSnapshot
from onchain.models import Owner, Safe, UserOperation
from onchain.protocol.account_calls import calls_call_data
from onchain.protocol.passkey_signature import (
    SafeSignature,
    dummy_passkey_signature,
    operation_signature,
)
from onchain.protocol.safe_operation import safe_operation_hash
from onchain.protocol.types import Address
from onchain.protocol.user_operation import (
    UserOperationV07,
    join_nonce,
    split_nonce,
    user_operation_hash,
)
from onchain.services import gas, intents, set_up
from onchain.services.lanes import Lane, versions

# r, s and v of no key, as long as every plain wallet's.
DUMMY_SIGNATURE = b"\xec" * 32 + b"\x7c" * 32 + b"\x1b"


def bare(
    op: UserOperation, snapshot: AccountSnapshot, lane: Lane, *, is_sponsored: bool
) -> UserOperationV07:
    """Return the operation before anybody was asked for gas or for money."""
    fees = gas.fees(snapshot, signers=op.safe.threshold)
    factory = set_up.factory_of(op.safe)
    signing = _costliest_owners(op.safe)
    return UserOperationV07(
        sender=Address(op.safe.address),
        nonce=join_nonce(lane.key, lane.sequence),
        factory=factory,
        call_data=calls_call_data(intents.calls_of(op)),
        call_gas_limit=0,
        verification_gas_limit=gas.verification_gas(
            signatures=gas.costliest(
                safe=op.safe, signers=op.safe.threshold, owners=signing
            ),
            is_sponsored=is_sponsored,
            deploys=factory is not None,
        ),
        pre_verification_gas=0,
        max_fee_per_gas=fees.max_fee_per_gas,
        max_priority_fee_per_gas=fees.max_priority_fee_per_gas,
        signature=_dummy_signature(signing),
    )


def estimated(
    op: UserOperation, draft: UserOperationV07, lane: Lane, bundler: Bundler
) -> UserOperationV07:
    """Return the operation with its gas limits; its paymaster is as it was given."""
    asked = draft
    if draft.paymaster is None:
        # Without fees a bundler does not ask who could pay them, and its figure for the
        # call is the true one: with fees, alto's is twice as high, and the EntryPoint
        # charges a tenth of what is left of it. Whether a sponsor can pay is asked.
        asked = replace(draft, max_fee_per_gas=0, max_priority_fee_per_gas=0)
    limits = gas.limits(
        estimate=bundler.estimate(asked), verification=draft.verification_gas_limit
    )
    return replace(
        draft,
        call_gas_limit=limits.call,
        verification_gas_limit=limits.verification,
        # A version of its own: an earlier operation at this nonce may be the same to
        # the last byte, and one hash cannot have two rows.
        pre_verification_gas=limits.pre_verification + versions(op.safe, lane),
    )


def _costliest_owners(safe: Safe) -> list[Owner]:
    """Return as many owners as must sign, of whom none takes more to check or to send.

    Nobody knows yet who will: a contract's answer may take most, then a passkey's, and
    a plain wallet's the least. Whom nobody has recognised comes last.
    """
    ranks = [Owner.Kind.CONTRACT, Owner.Kind.PASSKEY, Owner.Kind.UNKNOWN]

    def rank(owner: Owner) -> tuple[bool, int]:
        is_plain = owner.kind == Owner.Kind.WALLET
        return not owner.is_linked, len(ranks) if is_plain else ranks.index(
            Owner.Kind(owner.kind)
        )

    return sorted(safe.owners.current(), key=rank)[: safe.threshold]


def _dummy_signature(owners: Sequence[Owner]) -> bytes:
    """Return a signature as long as the real one, which the estimate needs."""
    plain = Owner.Kind.WALLET
    passkey = dummy_passkey_signature(origin=settings.WEBAUTHN_ORIGIN)
    return operation_signature(
        valid_after=0,
        valid_until=0,
        signatures=[
            SafeSignature(
                owner=Address(owner.address),
                signature=DUMMY_SIGNATURE if owner.kind == plain else passkey,
                is_contract=owner.kind != plain,
            )
            for owner in owners
        ],
    )


def columns(
    op: UserOperation, draft: UserOperationV07, *, valid_until: int
) -> dict[str, Any]:
    """Return the columns that preparation fixes, hashes included."""
    chain_id = op.safe.chain.chain_id
    factory, paymaster = draft.factory, draft.paymaster
    nonce_key, nonce_sequence = split_nonce(draft.nonce)
    return {
        "nonce_key": nonce_key,
        "nonce_sequence": nonce_sequence,
        "installs_signer": op.installs_signer,
        "factory": None if factory is None else factory.address,
        "factory_data": None if factory is None else factory.data,
        "call_data": draft.call_data,
        "call_gas_limit": draft.call_gas_limit,
        "verification_gas_limit": draft.verification_gas_limit,
        "pre_verification_gas": draft.pre_verification_gas,
        "max_fee_per_gas": draft.max_fee_per_gas,
        "max_priority_fee_per_gas": draft.max_priority_fee_per_gas,
        "paymaster": None if paymaster is None else paymaster.address,
        "paymaster_verification_gas_limit": None
        if paymaster is None
        else paymaster.verification_gas_limit,
        "paymaster_post_op_gas_limit": None
        if paymaster is None
        else paymaster.post_op_gas_limit,
        "paymaster_data": None if paymaster is None else paymaster.data,
        "valid_after": 0,
        "valid_until": valid_until,
        "user_operation_hash": user_operation_hash(draft, chain_id=chain_id),
        "safe_operation_hash": safe_operation_hash(
            draft, chain_id=chain_id, valid_after=0, valid_until=valid_until
        ),
        "prepared_at": timezone.now(),
        "last_problem": "",
    }
