"""Asking for the same once more: drafting an intent from the rows of now."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from accounts.models import User
from onchain.models import UserOperation
from onchain.models.operation_kinds import GUARDIAN_KINDS
from onchain.protocol.types import Address
from onchain.services import (
    configuration_changes,
    guardian_changes,
    new_owners,
    owner_changes,
)
from onchain.services.new_owners import NewOwner

Kind = UserOperation.Kind
Redraft = Callable[..., UserOperation]


def again(
    *, op: UserOperation, user: User, idempotency_key: uuid.UUID
) -> UserOperation:
    """Leave a DRAFT of the same change; the account's order is that of now (R67).

    A threshold that was to stay as it was, stays as it is.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: the account cannot be changed so any more.
    """
    draft, fields = _draft_of(op)
    return draft(
        safe=op.safe,
        user=user,
        idempotency_key=idempotency_key,
        predecessor=op,
        period_seconds=op.period_seconds,
        **fields,
    )


def _draft_of(op: UserOperation) -> tuple[Redraft, dict[str, Any]]:
    if op.kind in GUARDIAN_KINDS:
        return _draft_of_guardians(op)
    threshold, is_waived = _asked_threshold(op), op.is_proof_waived
    removed = None if op.removed is None else Address(op.removed)
    match op.kind:
        case Kind.ADD_PASSKEY | Kind.ADD_WALLET:
            return owner_changes.draft_new_owner, {
                "new": new_owner_of(op),
                "threshold": threshold,
            }
        case Kind.SWAP_OWNER:
            return owner_changes.draft_swap, {
                "new": new_owner_of(op),
                "removed": removed,
            }
        case Kind.REMOVE_OWNER:
            return owner_changes.draft_removal, {
                "removed": removed,
                "threshold": threshold,
                "is_proof_waived": is_waived,
            }
        case Kind.CHANGE_THRESHOLD:
            return owner_changes.draft_threshold, {
                "threshold": op.new_threshold,
                "is_proof_waived": is_waived,
            }
        case _:
            return configuration_changes.draft_configuration, {
                "kind": op.kind,
                "removed": removed,
            }


def _draft_of_guardians(op: UserOperation) -> tuple[Redraft, dict[str, Any]]:
    fields: dict[str, Any] = {"module": Address(op.module or b"")}
    adding = fields | {"is_proof_waived": op.is_proof_waived}
    threshold = _asked_threshold(op)
    match op.kind:
        case Kind.SET_UP_RECOVERY:
            return guardian_changes.draft_set_up, adding | {
                "guardians": op.guardian_list,
                "threshold": op.new_threshold,
            }
        case Kind.ADD_GUARDIAN:
            return guardian_changes.draft_guardian, adding | {
                "guardian": op.guardian_list[0],
                "threshold": threshold,
            }
        case Kind.REVOKE_GUARDIAN:
            return guardian_changes.draft_revocation, fields | {
                "guardian": Address(op.removed or b""),
                "threshold": threshold,
            }
        case Kind.CHANGE_GUARDIANS:
            return guardian_changes.draft_guardian_threshold, fields | {
                "threshold": op.new_threshold
            }
        case Kind.CANCEL_RECOVERY:
            return guardian_changes.draft_recovery_cancellation, fields
        case _:
            return guardian_changes.draft_end, fields


def new_owner_of(op: UserOperation) -> NewOwner:
    """Return who was to become an owner, from the row's key or invitation."""
    if op.invitation is not None:
        return new_owners.invited(invitation=op.invitation)
    if op.new_credential is not None:
        return new_owners.own_passkey(safe=op.safe, credential=op.new_credential)
    return new_owners.wallet(
        address=Address(op.new_signer or b""), is_proof_waived=op.is_proof_waived
    )


def _asked_threshold(op: UserOperation) -> int | None:
    """Return the threshold that was chosen, None where it was to stay."""
    is_kept = op.threshold_before in (None, op.new_threshold)
    return None if is_kept else op.new_threshold
