"""What an operation must do, from what its row says was asked for.

Preparation makes call data of it, and submission compares the stored call data with
it again before anything leaves (security.md R16, R28).
"""

from __future__ import annotations

from onchain.models import UserOperation
from onchain.models.owner import public_key_of
from onchain.protocol.errors import EncodingError
from onchain.protocol.owners import add_owner_call, create_signer_call
from onchain.protocol.types import Address, Call, PublicKey
from onchain.services import set_up, signers


class IntentChanged(ValueError):
    """The row no longer says what was asked for: a key or an address is another."""


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
    if op.kind == UserOperation.Kind.ADD_PASSKEY:
        return _addition(op)
    return [Call(to=Address(op.recipient), value_wei=op.value_wei)]


def new_public_key(op: UserOperation) -> PublicKey:
    """Return the point of the passkey that becomes an owner.

    Raises:
        IntentChanged: the row names none.
    """
    if op.new_credential is None:
        raise IntentChanged(f"{op} names no passkey")
    return public_key_of(op.new_credential)


def _addition(op: UserOperation) -> list[Call]:
    """Return the creation of the new signer, then its addition to the owners.

    The signer is computed from the passkey again: whoever changed the stored address
    would otherwise become an owner.
    """
    public_key = new_public_key(op)
    try:
        signer = signers.signer_for(public_key=public_key, safe=op.safe)
    except EncodingError as error:
        raise IntentChanged(f"{op} names a key that is none") from error
    account = Address(op.safe.address)
    is_same = (op.new_signer, op.recipient, op.value_wei) == (signer, account, 0)
    if not is_same or op.new_threshold is None:
        raise IntentChanged(f"{op} names another signer than its passkey's")
    return [
        create_signer_call(public_key=public_key, verifiers=op.safe.verifiers),
        add_owner_call(account=account, owner=signer, threshold=op.new_threshold),
    ]


def overtaken(op: UserOperation) -> str:
    """Return the code of why the operation must not go on any more, or nothing.

    What it would set up may be set up by now.

    An owner change was drafted for the owners of that moment; since then the chain or
    the person may have changed them (security.md R67).
    """
    if code := set_up.overtaken(op):
        return code
    if op.is_payment or op.new_credential is None:
        return ""
    if op.new_credential.removed_at is not None:
        return "passkey-removed"
    if op.new_threshold != op.safe.threshold:
        return "threshold-changed"
    is_owner = op.safe.owners.current().filter(address=op.new_signer).exists()
    return "already-owner" if is_owner else ""
