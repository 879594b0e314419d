"""What the card of a change of an account shows beside its operation."""

from __future__ import annotations

from typing import Any

from onchain.change_words import change_of
from onchain.guardian_words import delay_of_op, guardians_after
from onchain.models import UserOperation
from onchain.models.operation_kinds import GUARDIAN_KINDS
from onchain.protocol.recovery import delay_of
from onchain.protocol.types import Address
from onchain.services import addition_rounds, guardian_names
from onchain.services.signatories import Signatories


def change_context(op: UserOperation, known: Signatories) -> dict[str, Any]:
    """Return the change in words and its place in a round; nothing for a payment."""
    if not op.is_change:
        return {}
    at = {owner.address: owner for owner in known.owners}
    removed = None if op.removed is None else at.get(op.removed)
    change = change_of(op=op, owner_count=len(known.current), removed=removed)
    context: dict[str, Any] = {"change": change, "removed_owner": removed}
    if op.kind in GUARDIAN_KINDS:
        context |= _guardians(op)
    if op.status == UserOperation.Status.AWAITING_SIGNATURES:
        context["place"] = addition_rounds.place_of(op)
    return context


def _guardians(op: UserOperation) -> dict[str, Any]:
    """Return who comes and who goes, by name and address, and the module's delay."""
    kind = UserOperation.Kind
    replaces_all = op.kind in {kind.SET_UP_RECOVERY, kind.REMOVE_RECOVERY}
    gone = op.guardian_list_before if replaces_all else []
    coming = [] if op.kind == kind.REMOVE_RECOVERY else op.guardian_list
    named = guardian_names.named(safe=op.safe, addresses=coming)
    return {
        "change_guardians": named,
        "is_of_one_site": bool(named) and all(each.is_passkey for each in named),
        "revoked_guardians": guardian_names.named(safe=op.safe, addresses=gone),
        "guardians_after": guardians_after(op),
        "delay_seconds": delay_of(Address(op.module or b"")),
        "delay_words": delay_of_op(op),
    }
