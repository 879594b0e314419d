"""Giving somebody a role on an account, and ending it.

An owner needs no row. An approver's row stands beside their key on chain, and a
viewer's is all there is of them. One row of a person is in force at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from onchain.models import Membership, Owner, Role, Safe

logger = logging.getLogger(__name__)


def give(*, safe: Safe, user: User, role: Role, by: User) -> None:
    """Make a person an approver or a viewer; safe to repeat.

    An owner has no row, except who was an approver before: the newest row says what
    somebody is, so theirs says owner.
    """
    with transaction.atomic():
        Safe.objects.select_for_update().get(pk=safe.pk)
        before = Membership.objects.filter(safe=safe, user=user).first()
        if role == Role.OWNER and (before is None or before.role != Role.APPROVER):
            return
        if before is not None and before.role == role and before.ended_at is None:
            return
        end_all(safe=safe, user=user)
        Membership.objects.create(safe=safe, user=user, role=role, created_by=by)
    logger.info("user %s is %s of safe %s", user.pk, role, safe.pk)


def end_all(*, safe: Safe, user: User) -> None:
    """End every role that was given to a person; safe to repeat.

    A key of theirs on chain stays there: the account's owners remove it.
    """
    in_force = Membership.objects.filter(safe=safe, user=user, ended_at=None)
    if in_force.update(ended_at=timezone.now()):
        logger.info("user %s has no given role on safe %s now", user.pk, safe.pk)


def end_of_removed(*, safe: Safe, owners: Iterable[Owner]) -> None:
    """End the approvers' roles whose last key the chain removed; safe to repeat."""
    gone = {owner.credential.user for owner in owners if owner.credential is not None}
    gone |= {owner.holder for owner in owners if owner.holder is not None}
    current = safe.owners.current()
    for user in gone:
        holds = current.filter(credential__user=user) | current.filter(holder=user)
        if not holds.exists():
            Membership.objects.filter(
                safe=safe, user=user, role=Role.APPROVER, ended_at=None
            ).update(ended_at=timezone.now())
