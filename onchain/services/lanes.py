"""Nonce lanes: which nonce an operation takes.

An ERC-4337 nonce is a key (the lane) and a sequence in it. A lane holds one operation
at a time, so payments of one account do not wait for each other; and whatever was
signed keeps its nonce, so that no payment is made twice (security.md R64, R65).
"""

from __future__ import annotations

from dataclasses import dataclass

from onchain.clients.errors import ClientError
from onchain.clients.node_types import AccountSnapshot
from onchain.models import Safe, UserOperation
from onchain.models.operation_states import Status

MAX_LANES = 8  # nonce keys that an account's payments use at once (R65)
CONFIGURATION_KEY = MAX_LANES  # of changes of the account itself, one at a time (R67)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The nonce an operation takes."""

    key: int
    sequence: int


def lane_keys(op: UserOperation) -> range:
    """Return the nonce keys that an operation of its kind may take.

    A change of the account waits for no payment, and no payment waits for it. One that
    sets the account up is such a change, and goes alone.
    """
    if op.is_payment and not op.installs_signer:
        return range(MAX_LANES)
    return range(CONFIGURATION_KEY, CONFIGURATION_KEY + 1)


def choose_lane(op: UserOperation, snapshot: AccountSnapshot) -> Lane:
    """Return the lowest nonce key with nothing in flight.

    An operation prepared again keeps the nonce of the version that was signed and may
    still be included, however long ago, so that at most one of them ever is (R64).

    Raises:
        ClientError: that nonce has been used, or every lane is taken.
    """
    lane = _lane_of_signed_version(op, snapshot)
    if lane is not None:
        return lane
    taken = _held_keys(op.safe)
    for key in lane_keys(op):
        if key not in taken:
            return Lane(key=key, sequence=snapshot.nonces[key])
    if op.installs_signer:
        raise ClientError("set-up-first")
    raise ClientError("too-many-in-flight" if op.is_payment else "owner-change-first")


def _lane_of_signed_version(
    op: UserOperation, snapshot: AccountSnapshot
) -> Lane | None:
    """Return the nonce of an earlier version that may still be included.

    Raises:
        ClientError: the nonce of an earlier version was used, and no row of ours
            explains it by another payment: then it may have been this one.
    """
    lane = None
    before = op.predecessor
    while before is not None:
        if before.signed_at is not None:
            key, sequence = before.nonce_key, before.nonce_sequence
            if key is None or sequence is None:
                raise ValueError(f"{before} was signed without a nonce")
            if snapshot.nonces[key] != sequence and not _is_explained(before):
                raise ClientError("nonce-used")
            if lane is None and _may_still_be_included(before):
                lane = Lane(key=key, sequence=sequence)
        before = before.predecessor
    if lane is not None and snapshot.nonces[lane.key] != lane.sequence:
        raise ClientError("nonce-used")
    return lane


def _is_explained(op: UserOperation) -> bool:
    """Whether another operation is known to have used this one's nonce."""
    settled = op.safe.operations.filter(
        nonce_key=op.nonce_key,
        nonce_sequence=op.nonce_sequence,
        status__in=(Status.INCLUDED, Status.REVERTED),
    )
    return settled.exclude(pk=op.pk).exists()


def _held_keys(safe: Safe) -> set[int]:
    held = safe.operations.holding_nonces()
    confirmed = safe.chain.confirmed_timestamp
    if confirmed is not None:
        held = held.exclude(status=Status.REJECTED, valid_until__lt=confirmed)
    return {op.nonce_key for op in held.only("nonce_key") if op.nonce_key is not None}


def _may_still_be_included(op: UserOperation) -> bool:
    if op.signed_at is None or op.valid_until is None:
        return False
    confirmed = op.safe.chain.confirmed_timestamp
    return confirmed is None or op.valid_until >= confirmed


def versions(safe: Safe, lane: Lane) -> int:
    """Return how many operations were prepared for a nonce before."""
    return safe.operations.filter(
        nonce_key=lane.key, nonce_sequence=lane.sequence
    ).count()
