"""The operations of an account that wait for approvals, and asking for those."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from accounts import security_events
from accounts.models import SecurityEvent, User
from onchain.errors import NobodyToRemind, NotApprovedYet, NotAwaitingSignature
from onchain.models import (
    OperationSignature,
    Owner,
    Reminder,
    Safe,
    UserOperation,
)
from onchain.models.operation_states import Status
from onchain.services import approvals

logger = logging.getLogger(__name__)

MOST = 40  # lines; an account has nine lanes, so there are never more


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One operation that waits for people, without their names."""

    op: UserOperation
    count: int  # approvals that count, the needed ones at most
    needed: int
    has_void: bool  # an approval of an owner who was removed since
    is_for_me: bool  # this person has the next move
    seconds_left: int  # in the chain's time; below zero: its time is over

    @property
    def words(self) -> str:
        """What stands beside the ring."""
        return f"{self.count} of {self.needed} approved"

    @property
    def is_enough(self) -> bool:
        """True when as many signed as must."""
        return self.count >= self.needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who was reminded, and who had been today already."""

    now: int
    before: int


def with_waiting(safes: QuerySet[Safe]) -> QuerySet[Safe]:
    """Return the accounts, each saying in ``has_waiting`` whether ``waiting`` has any.

    It costs no query of its own. By a name in a mapping: the type checker knows only
    what columns a table has.
    """
    rows = UserOperation.objects.filter(
        _waits(OuterRef("threshold")), safe=OuterRef("pk")
    )
    return safes.annotate(**{"has_waiting": Exists(rows)})


def _waits(threshold: Any) -> Q:
    """What one owner signs alone is nobody's queue: it waits for who made it."""
    several = GreaterThan(threshold, Value(1))
    shared = Q(several) | Q(first_signed_at__isnull=False)
    return shared & Q(status=Status.AWAITING_SIGNATURES)


def waiting(*, safe: Safe, user: User) -> list[Waiting]:
    """Return what waits for approvals, this person's own first, then by their end.

    One query, however much waits.
    """
    mine = Q(credential__user=user, credential__removed_at=None) | Q(holder=user)
    signed = OperationSignature.objects.counting().filter(
        owner=OuterRef("pk"), operation=OuterRef(OuterRef("pk"))
    )
    able = Owner.objects.current().filter(mine, safe=safe.pk)
    rows = safe.operations.filter(_waits(Value(safe.threshold))).annotate(
        approved=Count(
            "signatures",
            filter=Q(
                signatures__voided_at=None,
                signatures__owner__is_current=True,
                signatures__is_checked=True,
            ),
        ),
        voided=Count(
            "signatures",
            # What a contract did not accept was no approval before either.
            filter=Q(signatures__is_checked=True)
            & (
                Q(signatures__voided_at__isnull=False)
                | Q(signatures__owner__is_current=False)
            ),
        ),
        can_approve=Exists(able.filter(~Exists(signed))),
    )
    items = [_item(safe, op) for op in rows.select_related("new_credential")[:MOST]]
    return sorted(items, key=lambda item: (not item.is_for_me, item.seconds_left))


def _item(safe: Safe, op: Any) -> Waiting:
    """Return a line of an operation with its counts beside its columns."""
    op.safe = safe
    is_enough = op.approved >= safe.threshold
    return Waiting(
        op=op,
        count=min(op.approved, safe.threshold),
        needed=safe.threshold,
        has_void=op.voided > 0,
        is_for_me=is_enough or op.can_approve,
        seconds_left=seconds_left(op),
    )


def seconds_left(op: UserOperation) -> int:
    """Return for how long an operation can still be carried out, in chain time."""
    head = op.safe.chain.head_timestamp
    now = int(timezone.now().timestamp()) if head is None else head
    return (op.valid_until or 0) - now


def send_now(*, op: UserOperation) -> None:
    """Let an operation go that enough owners signed, since fewer must by now.

    A dropped threshold sends nothing by itself (security.md R67): one of the owners
    asks for it. Safe to repeat.

    Raises:
        NotApprovedYet: not enough of the account's owners signed it.
        NotAwaitingSignature: it ended elsewhere.
    """
    with transaction.atomic():
        safe = Safe.objects.select_for_update().get(pk=op.safe_id)
        if op.signatures.counting().count() < safe.threshold:
            raise NotApprovedYet.about(op.noun)
        moved = UserOperation.objects.transition(
            op.pk,
            source=Status.AWAITING_SIGNATURES,
            target=Status.SIGNED,
            signed_at=timezone.now(),
        )
    if not moved:
        op.refresh_from_db(fields=["status"])
        if op.status not in (Status.SIGNED, Status.SUBMITTED, Status.INCLUDED):
            raise NotAwaitingSignature.about(op.noun)


def remind(*, op: UserOperation, sent_by: User) -> Asked:
    """Ask everybody who could still approve, each person once on a day of UTC.

    A person is told on their page, and by e-mail where they gave an address. Nothing in
    it acts (security.md R61). Safe to repeat: the second time asks nobody.

    Raises:
        NotAwaitingSignature: nothing is to be approved any more.
        NobodyToRemind: the keys that are missing belong to nobody known here.
    """
    if op.status != Status.AWAITING_SIGNATURES:
        raise NotAwaitingSignature.about(op.noun)
    found = approvals.approvals_of(op=op, user=sent_by)
    people = [] if found.is_enough else found.missing_people
    if not people:
        raise NobodyToRemind
    asked = sum(_ask(op, user, sent_by, found.words) for user in people)
    return Asked(now=asked, before=len(people) - asked)


def _ask(op: UserOperation, user: User, sent_by: User, words: str) -> bool:
    """Tell one person; False if somebody reminded them today already."""
    with transaction.atomic():
        # The unique row is the limit: of two reminders at once one is made.
        _reminder, is_new = Reminder.objects.get_or_create(
            user=user,
            day=datetime.now(UTC).date(),
            defaults={"operation": op, "sent_by": sent_by},
        )
        if is_new:
            security_events.note(
                user=user,
                kind=SecurityEvent.Kind.APPROVAL_ASKED,
                detail=f"A {op.noun} of the account {op.safe.name}: {words}",
            )
    if is_new:
        logger.info("reminded user %s of operation %s", user.pk, op.pk)
    return is_new
