"""The calls of a change of guardians, made anew from its row each time.

The row keeps whom the module had when the change was asked for, in the module's own
order: from that and from what was asked for, every call follows. Each change ends with
``invalidateNonce``, after which no approval of before counts any more; and where a
recovery had begun it begins with ``cancelRecovery``, for nobody looks at the approvals
again when a recovery ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from onchain.models import Chain, RecoverySetup, UserOperation
from onchain.protocol import recovery
from onchain.protocol.errors import EncodingError
from onchain.protocol.owner_changes import disable_module_call
from onchain.protocol.types import Address, Call
from onchain.services import (
    guardian_rules,
    module_codes,
    module_order,
    recovery_setups,
)

Kind = UserOperation.Kind
# What rids an account of a module or of a recovery, whatever code the module has.
SAFE_KINDS = (Kind.CANCEL_RECOVERY, Kind.REMOVE_RECOVERY)
ADDING = (Kind.SET_UP_RECOVERY, Kind.ADD_GUARDIAN)


def _set_up(op: UserOperation) -> list[Call]:
    """Return the module's enabling, the end of who was left, and every addition."""
    module, account = _module(op), Address(op.safe.address)
    enabling = []
    if op.enables_module:
        enabling = [recovery.enable_module_call(account=account, module=module)]
    return [
        *enabling,
        *_revocations(module, op.guardian_list_before),
        *_additions(op, before=[]),
    ]


def _addition(op: UserOperation) -> list[Call]:
    return _additions(op, before=op.guardian_list_before)


def _revocation(op: UserOperation) -> list[Call]:
    if op.removed is None:
        raise EncodingError(f"{op} names nobody who goes")
    return [
        recovery.revoke_guardian_call(
            module=_module(op),
            guardian=Address(op.removed),
            threshold=_threshold(op),
            guardians=op.guardian_list_before,
        )
    ]


def _threshold_change(op: UserOperation) -> list[Call]:
    return [
        recovery.change_guardian_threshold_call(
            module=_module(op),
            threshold=_threshold(op),
            guardian_count=len(op.guardian_list_before),
        )
    ]


def _cancellation(op: UserOperation) -> list[Call]:
    return [recovery.cancel_recovery_call(module=_module(op))]


def _end(op: UserOperation) -> list[Call]:
    if op.guardian_list != op.guardian_list_before or op.previous is None:
        raise EncodingError(f"{op} does not take out all guardians")
    return _revocations(_module(op), op.guardian_list)


CALLS: dict[str, Callable[[UserOperation], list[Call]]] = {
    Kind.SET_UP_RECOVERY: _set_up,
    Kind.ADD_GUARDIAN: _addition,
    Kind.REVOKE_GUARDIAN: _revocation,
    Kind.CHANGE_GUARDIANS: _threshold_change,
    Kind.CANCEL_RECOVERY: _cancellation,
    Kind.REMOVE_RECOVERY: _end,
}


def calls_of(op: UserOperation) -> list[Call]:
    """Return the calls that the change must make, in order, and no others.

    Raises:
        EncodingError: a column is missing, or the module would refuse it.
        KeyError: it is no change of guardians.
    """
    module = _module(op)
    calls = [
        *(
            [recovery.cancel_recovery_call(module=module)]
            if op.cancels_recovery
            else []
        ),
        *CALLS[op.kind](op),
        recovery.invalidate_nonce_call(module=module),
    ]
    if op.kind == Kind.REMOVE_RECOVERY:
        # Only while the module acts for the account does it let guardians go.
        disabling = disable_module_call(
            account=Address(op.safe.address),
            previous=Address(op.previous or b""),
            module=module,
        )
        calls.append(disabling)
    return calls


def _additions(op: UserOperation, *, before: Sequence[Address]) -> list[Call]:
    """Return one call for each guardian, with as many to approve as there are by then.

    Owners are looked at by ``overtaken``: they may have changed, which is no tampering.
    """
    calls, guardians = [], list(before)
    for guardian in op.guardian_list:
        call = recovery.add_guardian_call(
            module=_module(op),
            account=Address(op.safe.address),
            guardian=guardian,
            threshold=min(len(guardians) + 1, _threshold(op)),
            owners=[],
            guardians=guardians,
        )
        calls.append(call)
        guardians.append(guardian)
    if not calls or len(guardians) < _threshold(op):
        raise EncodingError(f"{op} adds too few guardians")
    return calls


def _revocations(module: Address, guardians: Sequence[Address]) -> list[Call]:
    """Return the calls that take all of them out, from the head of the list on."""
    calls = []
    for place, guardian in enumerate(guardians):
        left = guardians[place:]
        call = recovery.revoke_guardian_call(
            module=module,
            guardian=guardian,
            threshold=min(1, len(left) - 1),
            guardians=left,
        )
        calls.append(call)
    return calls


def _module(op: UserOperation) -> Address:
    if op.module is None or recovery.delay_of(Address(op.module)) is None:
        raise EncodingError(f"{op} names no recovery module")
    return Address(op.module)


def _threshold(op: UserOperation) -> int:
    if not op.new_threshold:
        raise EncodingError(f"{op} has no threshold")
    return op.new_threshold


# --- What the world did meanwhile -----------------------------------------------------


def is_stopped(*, kind: str, module: Address, chain: Chain) -> bool:
    """Whether nothing of this kind goes to a module, since its code is another one."""
    return kind not in SAFE_KINDS and module in module_codes.changed(chain)


def voided(op: UserOperation) -> str:
    """Return the code of why a guardian's key must not be used, or nothing.

    The module may have other code than was confirmed (R22). A guardian's word may have
    been taken back since, or their invitation accepted anew with another key (R62).
    """
    if is_stopped(kind=op.kind, module=_module(op), chain=op.safe.chain):
        return "module-changed"
    if op.kind not in ADDING:
        return ""
    is_known = all(
        guardian_rules.is_known(
            safe=op.safe,
            user=op.created_by,
            address=guardian,
            is_proof_waived=op.is_proof_waived,
        )
        for guardian in op.guardian_list
    )
    return "" if is_known else "guardian-not-proven"


def overtaken(op: UserOperation) -> str:
    """Return the code of why the change must not go on any more, or nothing.

    It was drafted for the guardians of that moment (R67). What ends a recovery always
    goes on: the worst that comes of it is that there is none to end.
    """
    if op.kind == Kind.CANCEL_RECOVERY:
        return ""
    setup = recovery_setups.setup_of(safe=op.safe, module=_module(op))
    if _is_another(op, setup):
        return "recovery-changed"
    guardians = recovery_setups.addresses_of(setup)
    threshold = 0 if setup is None else setup.threshold
    if (guardians, threshold) != (op.guardian_list_before, op.threshold_before):
        return "guardians-changed"
    has_begun = setup is not None and setup.pending is not None
    if has_begun != op.cancels_recovery:
        return "recovery-begun" if has_begun else "recovery-ended"
    if op.kind in ADDING:
        owners = set(op.safe.owners.current().values_list("address", flat=True))
        return "guardian-is-owner" if owners & set(op.guardian_list) else ""
    if op.kind == Kind.REMOVE_RECOVERY:
        previous = module_order.previous_or_none(safe=op.safe, module=_module(op))
        return "" if previous == op.previous else "owners-changed"
    return ""


def _is_another(op: UserOperation, setup: RecoverySetup | None) -> bool:
    """Whether the account lets a module act, or does not, other than when it began."""
    is_enabled = setup is not None and setup.is_enabled
    if op.kind != Kind.SET_UP_RECOVERY:
        return not is_enabled
    return is_enabled == op.enables_module or (
        recovery_setups.active(op.safe) is not None
    )
