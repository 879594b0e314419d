"""What an operation must do, from what its row says was asked for.

Preparation makes call data of it, and submission compares the stored call data with
it again before anything leaves (security.md R16, R28).
"""

from __future__ import annotations

from onchain.models import UserOperation
from onchain.protocol.types import Address, Call
from onchain.services import change_intents, set_up
from onchain.services.change_intents import IntentChanged, new_public_key, voided

__all__ = ["IntentChanged", "calls_of", "new_public_key", "overtaken", "voided"]


def calls_of(op: UserOperation) -> list[Call]:
    """Return the calls that the operation must make, in order, and no others.

    Raises:
        IntentChanged: the stored signer is not that of the stored passkey, or a
            column is missing.
        EncodingError: a column has no encoding.
    """
    return [*_set_up(op), *_asked_for(op)]


def _set_up(op: UserOperation) -> list[Call]:
    try:
        return set_up.calls_of(op)
    except ValueError as error:  # EncodingError is one
        raise IntentChanged(f"{op} has no passkey to set up with") from error


def _asked_for(op: UserOperation) -> list[Call]:
    if op.is_change:
        return change_intents.calls_of(op)
    if op.kind == UserOperation.Kind.CANCEL:
        return _cancellation(op)
    return [Call(to=Address(op.recipient), value_wei=op.value_wei)]


def _cancellation(op: UserOperation) -> list[Call]:
    """Return the call that does nothing, at the nonce of what it cancels only."""
    account = Address(op.safe.address)
    other = op.cancels
    if other is None or other.safe_id != op.safe_id:
        raise IntentChanged(f"{op} cancels nothing of its account")
    if (op.recipient, op.value_wei) != (account, 0):
        raise IntentChanged(f"{op} does something else than cancelling")
    nonce = (op.nonce_key, op.nonce_sequence)
    if op.prepared_at is not None and nonce != (other.nonce_key, other.nonce_sequence):
        raise IntentChanged(f"{op} cancels something else")
    return [Call(to=account, value_wei=0)]


def overtaken(op: UserOperation) -> str:
    """Return the code of why the operation must not go on any more, or nothing.

    What it would set up may be set up by now; what it would change may be another.
    """
    if code := set_up.overtaken(op):
        return code
    return change_intents.overtaken(op) if op.is_change else ""
