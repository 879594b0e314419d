"""What whoever got an account back looks at once: who is gone, and what stayed.

A recovery replaces the owners and nothing else. Modules, a guard, a fallback handler,
allowances and guardians are what they were, and may be somebody's who is gone.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from onchain.models import AccountClaim, Safe

Status = AccountClaim.Status


def recovered(*, safe: Safe, user: User) -> AccountClaim | None:
    """Return the person's last claim that gave them this account, None without one."""
    return _of(user).filter(safe=safe).select_related("claim").first()


def with_recovered(safes: QuerySet[Safe], *, user: User) -> QuerySet[Safe]:
    """Return the accounts, each saying in ``is_recovered`` what is to be looked at.

    That is one which the person got back and did not look through yet. It costs no
    query of its own.
    """
    rows = _of(user).filter(safe=OuterRef("pk"), looked_through_at=None)
    return safes.annotate(**{"is_recovered": Exists(rows)})


def finish(*, safe: Safe, user: User) -> None:
    """Remember that the person looked at what stayed. Safe to repeat."""
    rows = _of(user).filter(safe=safe, looked_through_at=None)
    rows.update(looked_through_at=timezone.now())


def gone(row: AccountClaim, *, owners: list[str]) -> list[str]:
    """Return the owners of before who are owners no more, as the chain has it now."""
    return [text for text in row.old_owners if text not in owners]


def strange(row: AccountClaim, *, owners: list[str]) -> list[str]:
    """Return the owners of now whom the recovery did not name: added since."""
    return [text for text in owners if text not in row.new_owners]


def _of(user: User) -> QuerySet[AccountClaim]:
    return AccountClaim.objects.filter(claim__user=user, status=Status.DONE)
