"""Drafting changes of who must approve: add, replace, remove, and how many.

A new owner must have proven itself for exactly this account (security.md R6), nobody
removes the last way in (R13), and an account has one change under way at a time (R67).
Each draft is a row that says what was asked for; ``intents`` makes the calls of it.
"""

from __future__ import annotations

from typing import Unpack

from accounts.models import Credential, User
from onchain.change_errors import SetUpFirst
from onchain.models import Invitation, Safe, UserOperation
from onchain.protocol.types import Address
from onchain.services import change_lane, new_owners, owner_rules, set_up
from onchain.services.change_lane import Asked, Columns
from onchain.services.new_owners import NewOwner

Kind = UserOperation.Kind


def draft_addition(
    *,
    safe: Safe,
    credential: Credential,
    threshold: int | None = None,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that makes a proven passkey of the person an owner of the account.

    Without ``threshold`` as many must approve as before. Safe to repeat: the same key
    makes one draft only.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """
    return draft_new_owner(
        safe=safe,
        new=new_owners.own_passkey(safe=safe, credential=credential),
        threshold=threshold,
        **asked,
    )


def draft_wallet(
    *,
    safe: Safe,
    address: Address,
    is_proof_waived: bool = False,
    threshold: int | None = None,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that makes a wallet or a contract an owner of the account.

    It has proven itself, or somebody waived that, which is for contracts only: the
    worker looks whether there is one. Otherwise as ``draft_addition``.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """
    new = new_owners.wallet(address=address, is_proof_waived=is_proof_waived)
    return draft_new_owner(
        safe=safe,
        new=new,
        threshold=threshold,
        **asked,
    )


def draft_invited_owner(
    *,
    invitation: Invitation,
    threshold: int | None = None,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that makes the key an invitation froze an owner of its account.

    Built from the invitation's row only (security.md R62), while it is CONFIRMED.
    Otherwise as ``draft_addition``.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """
    return draft_new_owner(
        safe=new_owners.account_of(invitation),
        new=new_owners.invited(invitation=invitation),
        threshold=threshold,
        **asked,
    )


def draft_new_owner(
    *,
    safe: Safe,
    new: NewOwner,
    threshold: int | None = None,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that makes somebody an owner; see ``draft_addition``.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        new_owners.require(new=new, safe=locked, user=asked["user"])
        wanted = locked.threshold if threshold is None else threshold
        if wanted != locked.threshold:
            owner_rules.require_reachable(
                safe=locked,
                threshold=wanted,
                added=1,
                is_waived=new.is_proof_waived,
            )
        return {"new_threshold": wanted, "threshold_before": locked.threshold}

    intent: Columns = {"kind": new.kind, **new.columns}
    return change_lane.leave(
        safe=safe,
        intent=intent | _chosen(threshold),
        derive=derive,
        **asked,
    )


def draft_swap(
    *,
    safe: Safe,
    removed: Address,
    new: NewOwner,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that puts a new owner in the place of one; as many must approve.

    Safe to repeat: the same key makes one draft only.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        new_owners.require(new=new, safe=locked, user=asked["user"])
        return _taken_out(locked, asked["user"], removed)

    intent = {"kind": Kind.SWAP_OWNER, "removed": removed, **new.columns}
    return change_lane.leave(
        safe=safe,
        intent=intent,
        derive=derive,
        **asked,
    )


def draft_removal(
    *,
    safe: Safe,
    removed: Address,
    threshold: int | None = None,
    is_proof_waived: bool = False,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that takes an owner out, with the threshold set in the same call.

    Without ``threshold`` it stays, or falls to how many are left. Safe to repeat: the
    same key makes one draft only.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        change_lane.require_live(locked)
        left = locked.owners.current().count() - 1
        wanted = min(locked.threshold, left) if threshold is None else threshold
        columns = _taken_out(locked, asked["user"], removed)
        owner_rules.require_reachable(
            safe=locked, threshold=wanted, removed=removed, is_waived=is_proof_waived
        )
        return columns | {
            "new_threshold": wanted,
            "threshold_before": locked.threshold,
        }

    intent: Columns = {
        "kind": Kind.REMOVE_OWNER,
        "removed": removed,
        "is_proof_waived": is_proof_waived,
    }
    return change_lane.leave(
        safe=safe,
        intent=intent | _chosen(threshold),
        derive=derive,
        **asked,
    )


def draft_threshold(
    *,
    safe: Safe,
    threshold: int,
    is_proof_waived: bool = False,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that changes how many owners must approve.

    Safe to repeat: the same key makes one draft only.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        change_lane.require_live(locked)
        owner_rules.require_other_threshold(
            safe=locked, threshold=threshold, is_waived=is_proof_waived
        )
        return {"threshold_before": locked.threshold}

    return change_lane.leave(
        safe=safe,
        intent={
            "kind": Kind.CHANGE_THRESHOLD,
            "new_threshold": threshold,
            "is_proof_waived": is_proof_waived,
        },
        derive=derive,
        **asked,
    )


def _chosen(threshold: int | None) -> Columns:
    """Return the column of a threshold that the person chose, where they did."""
    return {} if threshold is None else {"new_threshold": threshold}


def _taken_out(safe: Safe, user: User, removed: Address) -> Columns:
    """Return whom the account has before the owner that goes, once it may go."""
    change_lane.require_live(safe)
    owner = owner_rules.current_owner(safe=safe, address=removed)
    if set_up.is_needed(safe):
        # Its next operation puts another owner at the head of the list by itself.
        raise SetUpFirst
    owner_rules.require_somebody_settled(safe=safe, user=user, removed=owner)
    return {"previous": owner_rules.previous_owner(safe=safe, address=removed)}
