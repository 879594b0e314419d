"""Nonce lanes: which nonce an operation takes.

An ERC-4337 nonce is a key (the lane) and a sequence in it. A lane holds one operation
at a time, so payments of one account do not wait for each other; and whatever was
signed keeps its nonce, so that no payment is made twice (security.md R64, R65).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from onchain.clients.errors import ClientError
from onchain.clients.node_types import AccountSnapshot
from onchain.models import Safe, UserOperation
from onchain.models.operation_states import OPEN, Status

SETTLED = (Status.INCLUDED, Status.REVERTED)  # the chain went past their nonces
MAX_LANES = 8  # nonce keys that an account's payments use at once (R65)
CONFIGURATION_KEY = MAX_LANES  # of changes of the account itself, one at a time (R67)
# Of what ends a recovery: it waits neither for a payment nor for a change (R69).
SAFETY_KEYS = range(CONFIGURATION_KEY + 1, CONFIGURATION_KEY + 1 + MAX_LANES)


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
    if op.kind == UserOperation.Kind.CANCEL:
        key, _sequence = _nonce_of(op.cancels)
        return range(key, key + 1)
    if op.is_payment and not op.installs_signer:
        return range(MAX_LANES)
    if op.kind == UserOperation.Kind.CANCEL_RECOVERY and not op.installs_signer:
        return SAFETY_KEYS
    return range(CONFIGURATION_KEY, CONFIGURATION_KEY + 1)


def choose_lane(op: UserOperation, snapshot: AccountSnapshot) -> Lane:
    """Return the lowest nonce key with nothing in flight.

    An operation prepared again keeps the nonce of the version that was signed and may
    still be included, however long ago, so that at most one of them ever is (R64).

    Raises:
        ClientError: that nonce has been used, or every lane is taken.
    """
    if op.kind == UserOperation.Kind.CANCEL:
        return _lane_of_cancelled(op, snapshot)
    lane = _lane_of_signed_version(op, snapshot)
    if lane is not None:
        return lane
    taken = _held_keys(op.safe, snapshot)
    for key in lane_keys(op):
        if key not in taken:
            return Lane(key=key, sequence=snapshot.nonces[key])
    if op.installs_signer:
        raise ClientError("set-up-first")
    raise ClientError("too-many-in-flight" if op.is_payment else "owner-change-first")


def _nonce_of(op: UserOperation | None) -> tuple[int, int]:
    """Return the key and the sequence of what was prepared.

    Raises:
        ClientError: there is none.
    """
    if op is None or op.nonce_key is None or op.nonce_sequence is None:
        raise ClientError("nothing-to-cancel")
    return op.nonce_key, op.nonce_sequence


def _lane_of_cancelled(op: UserOperation, snapshot: AccountSnapshot) -> Lane:
    """Return the very nonce that the operation is to use up (R66).

    Raises:
        ClientError: the chain has gone past it: then there is nothing to cancel.
    """
    key, sequence = _nonce_of(op.cancels)
    if snapshot.nonces[key] != sequence:
        raise ClientError("nothing-to-cancel")
    return Lane(key=key, sequence=sequence)


def _lane_of_signed_version(
    op: UserOperation, snapshot: AccountSnapshot
) -> Lane | None:
    """Return the nonce of an earlier version that may still be included.

    Raises:
        ClientError: the nonce of an earlier version was used, and no row of ours
            explains it by another payment: then it may have been this one. Or one
            explains it that a reorg may still undo.
    """
    lane = None
    before = op.predecessor
    while before is not None:
        if before.was_ever_signed:
            key, sequence = before.nonce_key, before.nonce_sequence
            if key is None or sequence is None:
                raise ValueError(f"{before} was signed without a nonce")
            if snapshot.nonces[key] != sequence:
                _require_explained(before)
            elif lane is None and before.may_still_be_included:
                lane = Lane(key=key, sequence=sequence)
        before = before.predecessor
    return lane


def _require_explained(op: UserOperation) -> None:
    """Refuse to go on unless another operation is known to have used the nonce.

    Raises:
        ClientError: none is, or it may fall out of the chain while this one holds.
    """
    other = user_of_nonce(op)
    if other is None or op.may_still_be_included and not other.is_confirmed:
        raise ClientError("nonce-used")


def user_of_nonce(op: UserOperation) -> UserOperation | None:
    """Return another operation that the chain carried out at the same nonce, if any."""
    used = used_nonce_of(op)
    if used is None:
        return None
    return op.safe.operations.select_related("safe__chain").filter(used).first()


def used_nonce_of(op: UserOperation) -> Q | None:
    """Return what says that another operation of the account used the same nonce."""
    if op.nonce_key is None or op.nonce_sequence is None:
        return None
    settled = Q(
        nonce_key=op.nonce_key,
        nonce_sequence=op.nonce_sequence,
        status__in=SETTLED,
    )
    return settled & ~Q(pk=op.pk)


def _held_keys(safe: Safe, snapshot: AccountSnapshot) -> set[int]:
    """Return the nonce keys that no other payment may take.

    What was given up holds its key no longer once the chain has gone past its nonce:
    whatever comes after that can only be carried out after what used it.
    """
    held = safe.operations.holding_nonces()
    rows = held.values_list("nonce_key", "nonce_sequence", "status")
    return {
        key
        for key, sequence, status in rows
        if key is not None
        and (status in OPEN or sequence == snapshot.nonces.get(key, sequence))
    }


def versions(safe: Safe, lane: Lane) -> int:
    """Return how many operations were prepared for a nonce before."""
    return safe.operations.filter(
        nonce_key=lane.key, nonce_sequence=lane.sequence
    ).count()
