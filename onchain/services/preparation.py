"""Preparing a draft: nonce, gas, who pays, how long it holds, and what is signed.

Two requests in all: one batch to the node, one estimate from the bundler.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from onchain.clients.bundler import Bundler
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.clients.node_types import AccountSnapshot
from onchain.models import Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.account_calls import calls_call_data
from onchain.protocol.passkey_signature import (
    SafeSignature,
    dummy_passkey_signature,
    operation_signature,
)
from onchain.protocol.safe_operation import safe_operation_hash
from onchain.protocol.types import Address
from onchain.protocol.user_operation import (
    Paymaster,
    UserOperationV07,
    join_nonce,
    split_nonce,
    user_operation_hash,
)
from onchain.protocol.validation import gas_limit_total
from onchain.services import gas, intents, journal, sponsorship
from onchain.services.lanes import Lane, choose_lane, lane_keys, versions

logger = logging.getLogger(__name__)

SPONSOR_CODES = "AA3"  # the EntryPoint's codes about paymasters begin so
SPONSORED_SECONDS = 600  # life of a sponsored operation (R57)
SELF_PAID_SECONDS = 900  # life of one the account pays for (R20, R65)


def prepare(
    *, op: UserOperation, node: Node, bundler: Bundler, sponsor_key: str
) -> None:
    """Turn a DRAFT into an operation that can be reviewed and signed.

    Safe to run twice: nothing leaves this site, and the row moves by one conditional
    UPDATE. A draft that cannot work becomes REJECTED and says why.

    Raises:
        TransientClientError: node or bundler is out of reach, or another payment
            took the nonce meanwhile; the row is unchanged.
    """
    if op.status != Status.DRAFT:
        logger.info("prepare skipped: %s is %s", op, op.status)
        return
    if not op.safe.is_live:
        raise TransientClientError("the account is not live yet")
    try:
        _refuse_what_changed(op)
        snapshot = node.account_snapshot(Address(op.safe.address), lane_keys(op))
        lane = choose_lane(op, snapshot)
        if op.value_wei > snapshot.balance_wei:
            raise ClientError("insufficient-balance")
        _price(op, snapshot, lane, bundler, sponsor_key)
    except ClientError as error:
        logger.info("operation %s cannot be prepared: %s", op.pk, error.code)
        UserOperation.objects.transition(
            op.pk,
            source=Status.DRAFT,
            target=Status.REJECTED,
            failure_code=error.code[:40],
            failure_detail=error.detail,
        )


def _refuse_what_changed(op: UserOperation) -> None:
    """Compare the row with what it stands for before anything is made of it (R28).

    Raises:
        ClientError: a key or an address was changed, or it would do nothing any more.
    """
    try:
        intents.calls_of(op)
    except intents.IntentChanged:
        logger.critical("operation %s was tampered with: intent-mismatch", op.pk)
        journal.note(actor=None, action="intent-mismatch", target=str(op))
        raise ClientError("intent-mismatch") from None
    if code := intents.overtaken(op):
        raise ClientError(code)


def _price(
    op: UserOperation,
    snapshot: AccountSnapshot,
    lane: Lane,
    bundler: Bundler,
    sponsor_key: str,
) -> None:
    """Try sponsored first, then paid by the account."""
    if _store_sponsored(op, snapshot, lane, bundler, sponsor_key):
        return
    draft = _estimated(op, snapshot, lane, bundler, None)
    cost = gas_limit_total(draft) * draft.max_fee_per_gas
    if op.value_wei + cost > snapshot.balance_wei:
        raise ClientError("insufficient-balance-for-fee", str(cost))
    fields = _columns(op, draft, snapshot.head_timestamp + SELF_PAID_SECONDS)
    _store(op, fields, is_sponsored=False)


def _store_sponsored(
    op: UserOperation,
    snapshot: AccountSnapshot,
    lane: Lane,
    bundler: Bundler,
    sponsor_key: str,
) -> bool:
    """Prepare the operation with the sponsor paying; False if the account has to.

    A sponsor whose deposit is empty or whose contract refuses (AA3x) is no reason not
    to pay: the account can do it itself.
    """
    before = op.predecessor
    if before is not None and before.failure_code.startswith(SPONSOR_CODES):
        return False
    if not sponsorship.has_room(safe=op.safe):
        return False
    stub = sponsorship.stub(private_key=sponsor_key)
    try:
        draft = _estimated(op, snapshot, lane, bundler, stub)
    except ClientError as error:
        if not error.code.startswith(SPONSOR_CODES):
            raise
        logger.error("the sponsor cannot pay: %s", error.code)
        return False
    if not sponsorship.is_affordable(draft):
        return False
    valid_until = snapshot.head_timestamp + SPONSORED_SECONDS
    paymaster = sponsorship.signed(
        op=draft,
        chain=op.safe.chain,
        valid_until=valid_until,
        private_key=sponsor_key,
    )
    fields = _columns(op, replace(draft, paymaster=paymaster), valid_until)
    return _store(op, fields, is_sponsored=True)


def _estimated(
    op: UserOperation,
    snapshot: AccountSnapshot,
    lane: Lane,
    bundler: Bundler,
    paymaster: Paymaster | None,
) -> UserOperationV07:
    """Return the operation with its gas limits and fees, not yet sponsored for real."""
    chain = op.safe.chain
    is_sponsored = paymaster is not None
    fees = gas.fees(snapshot)
    bare = UserOperationV07(
        sender=Address(op.safe.address),
        nonce=join_nonce(lane.key, lane.sequence),
        factory=None,
        call_data=calls_call_data(intents.calls_of(op)),
        call_gas_limit=0,
        verification_gas_limit=gas.verification_gas(
            chain=chain, signers=op.safe.threshold, is_sponsored=is_sponsored
        ),
        pre_verification_gas=0,
        # Without fees a bundler does not ask who could pay them, and its figure for the
        # call is the true one: with fees, alto's is twice as high, and the EntryPoint
        # charges a tenth of what is left of it. Whether a sponsor can pay is asked.
        max_fee_per_gas=fees.max_fee_per_gas if is_sponsored else 0,
        max_priority_fee_per_gas=fees.max_priority_fee_per_gas if is_sponsored else 0,
        paymaster=paymaster,
        signature=_dummy_signature(op.safe),
    )
    limits = gas.limits(
        chain=chain,
        estimate=bundler.estimate(bare),
        signers=op.safe.threshold,
        is_sponsored=is_sponsored,
    )
    return replace(
        bare,
        max_fee_per_gas=fees.max_fee_per_gas,
        max_priority_fee_per_gas=fees.max_priority_fee_per_gas,
        call_gas_limit=limits.call,
        verification_gas_limit=limits.verification,
        # A version of its own: an earlier operation at this nonce may be the same to
        # the last byte, and one hash cannot have two rows.
        pre_verification_gas=limits.pre_verification + versions(op.safe, lane),
    )


def _dummy_signature(safe: Safe) -> bytes:
    """Return a signature as long as the real one, which the estimate needs."""
    current = safe.owners.current()
    owners = sorted(current, key=lambda owner: owner.credential_id is None)
    return operation_signature(
        valid_after=0,
        valid_until=0,
        signatures=[
            SafeSignature(
                owner=Address(owner.address),
                signature=dummy_passkey_signature(origin=settings.WEBAUTHN_ORIGIN),
                is_contract=True,
            )
            for owner in owners[: safe.threshold]
        ],
    )


def _columns(
    op: UserOperation, draft: UserOperationV07, valid_until: int
) -> dict[str, object]:
    """Return the columns that preparation fixes, hashes included."""
    chain_id = op.safe.chain.chain_id
    paymaster = draft.paymaster
    nonce_key, nonce_sequence = split_nonce(draft.nonce)
    return {
        "nonce_key": nonce_key,
        "nonce_sequence": nonce_sequence,
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


def _store(op: UserOperation, fields: dict[str, object], *, is_sponsored: bool) -> bool:
    """Move the draft on; False if the sponsor's limits filled up meanwhile.

    Raises:
        TransientClientError: another payment of the account took the nonce.
    """
    try:
        if is_sponsored:
            return sponsorship.reserve(safe=op.safe, pk=op.pk, fields=fields)
        return UserOperation.objects.transition(
            op.pk, source=Status.DRAFT, target=Status.AWAITING_SIGNATURES, **fields
        )
    except IntegrityError:
        raise TransientClientError("another payment took the nonce") from None
