"""Cancelling for certain: an empty operation that uses up another one's nonce (R66).

Withdrawing what somebody signed is only this site's promise. A nonce is used once:
after an operation that does nothing was carried out at it, the other one never can be.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from onchain.errors import NothingToCancel
from onchain.models import Safe, UserOperation
from onchain.models.operation_states import GIVEN_UP, OPEN, Status
from onchain.protocol.types import Address
from onchain.services import drafts, lanes, user_operations

Kind = UserOperation.Kind
UNDER_WAY = (Status.DRAFT, *OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What becomes of an operation that somebody signed, by its nonce."""

    used_by: UserOperation | None  # another one, which the chain carried out there
    under_way: UserOperation | None  # its cancellation
    can_cancel: bool  # there is something that a withdrawal alone does not end


def outlook_of(op: UserOperation) -> Outlook:
    """Return what else there is at an operation's nonce, in one query.

    To be cancelled it takes an operation that somebody signed, that is not sent, and
    whose nonce is not used and time not over.
    """
    asked = Q(cancels=op, status__in=UNDER_WAY)
    used = lanes.used_nonce_of(op)
    found = op.safe.operations.filter(asked if used is None else asked | used)
    rows = list(found.select_related("safe__chain"))
    used_by = next((row for row in rows if row.status in lanes.SETTLED), None)
    return Outlook(
        used_by=used_by,
        under_way=next((row for row in rows if row.status in UNDER_WAY), None),
        can_cancel=used_by is None
        and op.kind != Kind.CANCEL
        and op.status in (Status.AWAITING_SIGNATURES, *GIVEN_UP)
        and op.may_still_be_included,
    )


def draft_cancellation(
    *,
    op: UserOperation,
    user: User,
    idempotency_key: uuid.UUID,
    period_seconds: int | None = None,
) -> UserOperation:
    """Leave a DRAFT that uses up the operation's nonce and does nothing else.

    What waits for signatures is withdrawn with it. Safe to repeat: while a cancellation
    is on its way, it is returned.

    Raises:
        IdempotencyConflict: the key was used for something else.
        NothingToCancel: nobody signed it, its nonce is used, its time is over, or
            another version of it waits at the same nonce.
        AccountBlocked: no operation of the account can go through.
    """
    with transaction.atomic():
        safe = Safe.objects.select_for_update().get(pk=op.safe_id)
        op = UserOperation.objects.select_related("safe__chain").get(pk=op.pk)
        outlook = outlook_of(op)
        if outlook.under_way is not None:
            return outlook.under_way
        if not outlook.can_cancel:
            raise NothingToCancel.about(op.noun)
        if op.status == Status.AWAITING_SIGNATURES:
            user_operations.withdraw(op=op)
        if _has_successor_under_way(op):
            raise NothingToCancel(NothingToCancel.successor)
        return drafts.leave(
            user=user,
            idempotency_key=idempotency_key,
            predecessor=None,
            safe=safe,
            kind=Kind.CANCEL,
            recipient=Address(safe.address),
            value_wei=0,
            cancels=op,
            period_seconds=op.period_seconds
            if period_seconds is None
            else period_seconds,
        )


def _has_successor_under_way(op: UserOperation) -> bool:
    """Whether another version holds, or is about to take, the same nonce (R64)."""
    later = list(op.successors.all())
    while later:
        version = later.pop()
        if version.status in UNDER_WAY:
            return True
        later.extend(version.successors.all())
    return False
