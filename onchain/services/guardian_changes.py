"""Drafting changes of who may bring an account back: guardians, threshold, module.

Changing guardians is immediate, and approvals are not looked at again when a recovery
ends. So every change also makes old approvals worthless, and while a recovery is under
way it ends that first. Each draft keeps what the module had: ``guardian_intents`` makes
the calls of it, and notices when that is not so any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from accounts.models import User
from onchain.guardian_errors import (
    GuardianThresholdSame,
    LastGuardian,
    NobodyIsWarned,
    NoRecoveryBegun,
    NotAGuardian,
    RecoveryOn,
)
from onchain.models import RecoverySetup, Safe, UserOperation
from onchain.models.operation_states import OPEN, Status
from onchain.protocol.types import Address, checksum_address
from onchain.services import (
    alert_contacts,
    change_lane,
    guardian_rules,
    module_order,
    recovery_setups,
    signatories,
)
from onchain.services.change_lane import Asked, Columns

Kind = UserOperation.Kind


def draft_set_up(
    *,
    safe: Safe,
    module: Address,
    guardians: Sequence[Address],
    threshold: int,
    is_proof_waived: bool = False,
    is_unwarned: bool = False,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that lets guardians bring the account back.

    It enables the module and adds them all. Whoever stayed in the module from before
    goes first. Safe to repeat: the same key makes one draft only.

    Args:
        is_unwarned: the person says that nobody can warn them, which is kept.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        change_lane.require_live(locked)
        guardian_rules.require_module(module=module, chain=locked.chain)
        if recovery_setups.active(locked) is not None:
            raise RecoveryOn
        setup = recovery_setups.require_read(safe=locked, module=module)
        guardian_rules.require_guardians(
            safe=locked,
            user=asked["user"],
            guardians=guardians,
            is_proof_waived=is_proof_waived,
        )
        guardian_rules.require_threshold(threshold=threshold, guardians=len(guardians))
        if is_unwarned:
            alert_contacts.acknowledge(safe=locked, user=asked["user"])
        elif not alert_contacts.is_settled(safe=locked):
            raise NobodyIsWarned
        enables = setup is None or not setup.is_enabled
        return _before(setup) | {"enables_module": enables}

    return change_lane.leave(
        safe=safe,
        intent={
            "kind": Kind.SET_UP_RECOVERY,
            "module": module,
            "guardians": [checksum_address(each) for each in guardians],
            "new_threshold": threshold,
            "is_proof_waived": is_proof_waived,
        },
        derive=derive,
        **asked,
    )


def draft_guardian(
    *,
    safe: Safe,
    module: Address,
    guardian: Address,
    threshold: int | None = None,
    is_proof_waived: bool = False,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that adds a guardian; without ``threshold`` as many must approve.

    Safe to repeat: the same key makes one draft only.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        setup, before = _active(locked, module)
        guardian_rules.require_guardians(
            safe=locked,
            user=asked["user"],
            guardians=[guardian],
            before=before,
            is_proof_waived=is_proof_waived,
        )
        wanted = setup.threshold if threshold is None else threshold
        guardian_rules.require_threshold(threshold=wanted, guardians=len(before) + 1)
        return _before(setup) | {"new_threshold": wanted}

    intent: Columns = {
        "kind": Kind.ADD_GUARDIAN,
        "module": module,
        "guardians": [checksum_address(guardian)],
        "is_proof_waived": is_proof_waived,
    }
    return change_lane.leave(
        safe=safe, intent=intent | _chosen(threshold), derive=derive, **asked
    )


def draft_revocation(
    *,
    safe: Safe,
    module: Address,
    guardian: Address,
    threshold: int | None = None,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that takes a guardian out.

    Without ``threshold`` it stays, or falls to how many are left. Safe to repeat: the
    same key makes one draft only.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        setup, before = _active(locked, module)
        if guardian not in before:
            raise NotAGuardian
        left = len(before) - 1
        if left == 0:
            raise LastGuardian
        wanted = min(setup.threshold, left) if threshold is None else threshold
        guardian_rules.require_threshold(threshold=wanted, guardians=left)
        return _before(setup) | {"new_threshold": wanted}

    intent: Columns = {
        "kind": Kind.REVOKE_GUARDIAN,
        "module": module,
        "removed": guardian,
    }
    return change_lane.leave(
        safe=safe, intent=intent | _chosen(threshold), derive=derive, **asked
    )


def draft_guardian_threshold(
    *, safe: Safe, module: Address, threshold: int, **asked: Unpack[Asked]
) -> UserOperation:
    """Leave a DRAFT that changes how many guardians must approve a recovery.

    Safe to repeat: the same key makes one draft only.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        setup, before = _active(locked, module)
        if threshold == setup.threshold:
            raise GuardianThresholdSame
        guardian_rules.require_threshold(threshold=threshold, guardians=len(before))
        return _before(setup)

    return change_lane.leave(
        safe=safe,
        intent={
            "kind": Kind.CHANGE_GUARDIANS,
            "module": module,
            "new_threshold": threshold,
        },
        derive=derive,
        **asked,
    )


def draft_recovery_cancellation(
    *, safe: Safe, module: Address, **asked: Unpack[Asked]
) -> UserOperation:
    """Leave a DRAFT that ends the recovery that has begun.

    It waits for no other change of the account, and whoever holds a key of the account
    may ask for it. Safe to repeat: while one waits to be carried out, it is returned.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        change_lane.require_live(locked)
        setup = recovery_setups.setup_of(safe=locked, module=module)
        if setup is None or setup.pending is None:
            raise NoRecoveryBegun
        return {}

    return _cancellation_under_way(safe, module, asked["user"]) or change_lane.leave(
        safe=safe,
        intent={"kind": Kind.CANCEL_RECOVERY, "module": module},
        derive=derive,
        is_urgent=True,
        **asked,
    )


def draft_end(*, safe: Safe, module: Address, **asked: Unpack[Asked]) -> UserOperation:
    """Leave a DRAFT that takes every guardian out and the module from the account.

    Safe to repeat: the same key makes one draft only.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        change_lane.require_live(locked)
        setup = recovery_setups.require_enabled(safe=locked, module=module)
        found = _before(setup)
        return found | {
            "guardians": found["guardians_before"],
            "previous": module_order.previous_of(safe=locked, module=module),
        }

    return change_lane.leave(
        safe=safe,
        intent={"kind": Kind.REMOVE_RECOVERY, "module": module},
        derive=derive,
        **asked,
    )


def _active(safe: Safe, module: Address) -> tuple[RecoverySetup, list[Address]]:
    change_lane.require_live(safe)
    guardian_rules.require_unchanged(module=module, chain=safe.chain)
    setup = recovery_setups.require_active(safe=safe, module=module)
    return setup, recovery_setups.addresses_of(setup)


def _before(setup: RecoverySetup | None) -> dict[str, Any]:
    """Return what the module has now, which the calls are made of."""
    guardians = recovery_setups.addresses_of(setup)
    return {
        "guardians_before": [checksum_address(each) for each in guardians],
        "threshold_before": 0 if setup is None else setup.threshold,
        "cancels_recovery": setup is not None and setup.pending is not None,
    }


def _chosen(threshold: int | None) -> Columns:
    """Return the column of a threshold that the person chose, where they did."""
    return {} if threshold is None else {"new_threshold": threshold}


def _cancellation_under_way(
    safe: Safe, module: Address, user: User
) -> UserOperation | None:
    """Return a cancellation that can still be signed, or is on its way."""
    if not signatories.own_signers(safe=safe, user=user):
        return None
    rows = safe.operations.filter(
        kind=Kind.CANCEL_RECOVERY, module=module, status__in=(Status.DRAFT, *OPEN)
    ).select_related("safe__chain")
    head = safe.chain.head_timestamp
    for op in rows:
        if op.valid_until is None or head is None or head < op.valid_until:
            return op
    return None
