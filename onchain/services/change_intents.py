"""The calls of a change of an account, made anew from its row each time.

A passkey's signer is computed from its key again: whoever changed the stored address
would otherwise become an owner (security.md R16, R28). A key that came by invitation
is taken from the invitation's row only (R62).
"""

from __future__ import annotations

from collections.abc import Callable

from onchain.errors import OwnerChangeRefused
from onchain.models import Invitation, UserOperation
from onchain.models.operation_kinds import GUARDIAN_KINDS
from onchain.models.owner import public_key_of
from onchain.protocol import owner_changes
from onchain.protocol.errors import EncodingError
from onchain.protocol.owners import add_owner_call, create_signer_call
from onchain.protocol.types import Address, Call, PublicKey
from onchain.services import (
    configurations,
    guardian_intents,
    new_owners,
    owner_rules,
    signers,
)
from onchain.services.configuration_changes import is_there, previous_module

Kind = UserOperation.Kind


class IntentChanged(ValueError):
    """The row no longer says what was asked for: a key or an address is another."""


def new_public_key(op: UserOperation) -> PublicKey:
    """Return the point of the passkey that becomes an owner.

    Raises:
        IntentChanged: the row names none, or another than its invitation.
    """
    if op.new_credential is None:
        raise IntentChanged(f"{op} names no passkey")
    if op.invitation is None:
        return public_key_of(op.new_credential)
    try:
        public_key = new_owners.public_key_in(op.invitation)
    except ValueError as error:
        raise IntentChanged(f"{op} names another key than its invitation") from error
    if op.invitation.credential_id != op.new_credential_id:
        raise IntentChanged(f"{op} names another passkey than its invitation")
    return public_key


def calls_of(op: UserOperation) -> list[Call]:
    """Return the calls that the change must make, in order, and no others.

    Raises:
        IntentChanged: a column is missing or was changed.
    """
    if (op.recipient, op.value_wei) != (op.safe.address, 0):
        raise IntentChanged(f"{op} is not about its account")
    try:
        if op.kind in GUARDIAN_KINDS:
            return guardian_intents.calls_of(op)
        return CALLS[op.kind](op)
    except (EncodingError, KeyError) as error:
        raise IntentChanged(f"{op} has no calls") from error


def _addition(op: UserOperation) -> list[Call]:
    """Return the creation of a passkey's signer, if it is one, and its addition."""
    signer, before = _new_owner(op)
    call = add_owner_call(
        account=Address(op.safe.address), owner=signer, threshold=_threshold(op)
    )
    return [*before, call]


def _swap(op: UserOperation) -> list[Call]:
    signer, before = _new_owner(op)
    call = owner_changes.swap_owner_call(
        account=Address(op.safe.address),
        previous=_address(op, "previous"),
        removed=_address(op, "removed"),
        new=signer,
    )
    return [*before, call]


def _removal(op: UserOperation) -> list[Call]:
    return [
        owner_changes.remove_owner_call(
            account=Address(op.safe.address),
            previous=_address(op, "previous"),
            removed=_address(op, "removed"),
            threshold=_threshold(op),
        )
    ]


def _threshold_change(op: UserOperation) -> list[Call]:
    account = Address(op.safe.address)
    return [
        owner_changes.change_threshold_call(account=account, threshold=_threshold(op))
    ]


def _module_removal(op: UserOperation) -> list[Call]:
    return [
        owner_changes.disable_module_call(
            account=Address(op.safe.address),
            previous=_address(op, "previous"),
            module=_address(op, "removed"),
        )
    ]


def _guard_removal(op: UserOperation) -> list[Call]:
    return [owner_changes.remove_guard_call(account=Address(op.safe.address))]


CALLS: dict[str, Callable[[UserOperation], list[Call]]] = {
    Kind.ADD_PASSKEY: _addition,
    Kind.ADD_WALLET: _addition,
    Kind.SWAP_OWNER: _swap,
    Kind.REMOVE_OWNER: _removal,
    Kind.CHANGE_THRESHOLD: _threshold_change,
    Kind.DISABLE_MODULE: _module_removal,
    Kind.REMOVE_GUARD: _guard_removal,
}


def _new_owner(op: UserOperation) -> tuple[Address, list[Call]]:
    """Return the new owner's address, and what puts it on chain if it is a passkey."""
    stored = _address(op, "new_signer")
    if op.invitation is not None:
        if op.invitation.address != stored:
            raise IntentChanged(f"{op} names another owner than its invitation")
        if op.invitation.credential_id != op.new_credential_id:
            raise IntentChanged(f"{op} names another passkey than its invitation")
    if op.new_credential_id is None:
        if op.kind == Kind.ADD_PASSKEY:
            raise IntentChanged(f"{op} names no passkey")
        return stored, []
    public_key = new_public_key(op)
    if signers.signer_for(public_key=public_key, safe=op.safe) != stored:
        raise IntentChanged(f"{op} names another signer than its passkey's")
    created = create_signer_call(public_key=public_key, verifiers=op.safe.verifiers)
    return stored, [created]


def _address(op: UserOperation, column: str) -> Address:
    value = getattr(op, column)
    if value is None:
        raise IntentChanged(f"{op} has no {column}")
    return Address(value)


def _threshold(op: UserOperation) -> int:
    if op.new_threshold is None:
        raise IntentChanged(f"{op} has no threshold")
    return op.new_threshold


# --- What the world did meanwhile -----------------------------------------------------


def voided(op: UserOperation) -> str:
    """Return the code of why an invitation's key must not be used, or nothing.

    Accepting again is another key, and takes back who confirmed the first one (R62).
    """
    if op.kind in GUARDIAN_KINDS:
        return guardian_intents.voided(op)
    invitation = op.invitation
    if invitation is None:
        return ""
    at = invitation.confirmed_at
    is_confirmed = invitation.status == Invitation.Status.CONFIRMED
    if is_confirmed and at is not None and at <= op.created_at:
        return ""
    return "invitation-changed"


def overtaken(op: UserOperation) -> str:
    """Return the code of why the change must not go on any more, or nothing.

    It was drafted for the account of that moment; since then the chain or the person
    may have changed it (security.md R67).
    """
    if code := voided(op):
        return code
    if op.kind in GUARDIAN_KINDS:
        return guardian_intents.overtaken(op)
    if op.new_signer is not None and (code := _overtaken_addition(op)):
        return code
    if op.new_threshold is not None and (code := _overtaken_threshold(op)):
        return code
    if op.kind in {Kind.REMOVE_OWNER, Kind.SWAP_OWNER}:
        return _overtaken_owner(op)
    if op.kind in {Kind.DISABLE_MODULE, Kind.REMOVE_GUARD}:
        return _overtaken_configuration(op)
    return ""


def _overtaken_addition(op: UserOperation) -> str:
    if op.new_credential is not None and op.new_credential.removed_at is not None:
        return "passkey-removed"
    is_owner = op.safe.owners.current().filter(address=op.new_signer).exists()
    return "already-owner" if is_owner else ""


def _overtaken_threshold(op: UserOperation) -> str:
    before = op.threshold_before
    if before is None:  # drafted when every addition left it as it was
        before = op.new_threshold
    return "" if op.safe.threshold == before else "threshold-changed"


def _overtaken_owner(op: UserOperation) -> str:
    try:
        previous = owner_rules.previous_owner(
            safe=op.safe, address=_address(op, "removed")
        )
    except OwnerChangeRefused:
        return "already-removed"
    return "" if previous == op.previous else "owners-changed"


def _overtaken_configuration(op: UserOperation) -> str:
    foreign = configurations.foreign_in(op.safe)
    removed = _address(op, "removed")
    if foreign is None or not is_there(foreign, op.kind, removed):
        return "already-removed"
    if op.kind != Kind.DISABLE_MODULE:
        return ""
    try:
        previous = previous_module(foreign, removed)
    except OwnerChangeRefused:
        return "owners-changed"
    return "" if previous == op.previous else "owners-changed"
