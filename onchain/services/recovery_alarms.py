"""The alarm when guardians begin a recovery, whoever started it and wherever (R58).

A recovery that nobody asked for can be stopped by the owners alone, and only until its
delay is over. So every page of every owner says it from the block on that has it; and
people are told in writing at once, each day until it ends, and of its end. What was
told stands in the request's row: each round is claimed by one conditional UPDATE
together with its events and mails, so that it is told once however many workers look,
and again if a reorg brings back what had ended.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import security_events
from accounts.models import OutgoingMail, SecurityEvent, User
from accounts.visible_text import visible
from onchain.models import Chain, Guardian, RecoveryRequest, Safe
from onchain.services import alert_contacts, owner_news

logger = logging.getLogger(__name__)

Kind = SecurityEvent.Kind
Status = RecoveryRequest.Status
DAILY = timedelta(days=1)
NAME_CHARACTERS = 50
MARGIN_SECONDS = 3_600  # that "cancel by" is earlier than the chain would have it
# What ended longer ago is history that was read late: shown, and no news any more.
NEWS_SECONDS = 86_400
NOTICES = {
    Kind.RECOVERY_BEGAN: OutgoingMail.Notice.RECOVERY_BEGAN,
    Kind.RECOVERY_WAITS: OutgoingMail.Notice.RECOVERY_WAITS,
    Kind.RECOVERY_ENDED: OutgoingMail.Notice.RECOVERY_ENDED,
}
ENDINGS = {
    Status.FINALIZED: "is finished: its owners were replaced.",
    Status.CANCELED: "was cancelled. Its owners stay.",
    Status.REPLACED: "was replaced by one that more guardians approved.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A recovery that waits for its end, for the people who can still stop it."""

    request: RecoveryRequest
    now: int  # Unix seconds of the chain

    @property
    def safe(self) -> Safe:
        """The account whose owners would be replaced."""
        return self.request.setup.safe

    @property
    def cancel_by(self) -> datetime:
        """Until when to cancel, with a margin for a busy chain and a slow person."""
        return datetime.fromtimestamp(cancel_by(self.request), tz=UTC)

    @property
    def is_late(self) -> bool:
        """Whether that moment is past: it may still be stopped, and only at once."""
        return self.now >= cancel_by(self.request)

    @property
    def is_over(self) -> bool:
        """Whether the delay is over, so that anybody can finish it at any moment."""
        return self.now >= self.request.execute_after


def cancel_by(request: RecoveryRequest) -> int:
    """Return until when owners should cancel, in Unix seconds of the chain."""
    delay = request.setup.delay_seconds or 0
    return request.execute_after - min(MARGIN_SECONDS, delay // 3)


def alarm_of(request: RecoveryRequest) -> Alarm:
    """Return a pending request with what time it is on its chain."""
    return Alarm(request=request, now=request.setup.safe.chain.head_timestamp or 0)


def alarms_of(user: User) -> list[Alarm]:
    """Return what has begun on the accounts that a key of the person's owns.

    One query, for it is asked on every page.
    """
    pending = RecoveryRequest.objects.filter(
        Q(setup__safe__owners__credential__user=user)
        | Q(setup__safe__owners__holder=user),
        setup__safe__owners__is_current=True,
        status=Status.PENDING,
    )
    rows = pending.select_related("setup__safe__chain").distinct().order_by("pk")
    return [alarm_of(row) for row in rows]


# --- In writing -----------------------------------------------------------------------


def due(*, chain: Chain) -> QuerySet[RecoveryRequest]:
    """Return the requests of which somebody is to hear now."""
    changed = ~Q(told_status=F("status"))
    daily = Q(status=Status.PENDING, told_at__lte=timezone.now() - DAILY)
    return RecoveryRequest.objects.filter(changed | daily, setup__safe__chain=chain)


def tell_due(*, chain: Chain) -> int:
    """Tell of everything that is due; return how many rounds were told.

    Safe to repeat and to run many times at once. Sends nothing: the mails are rows.
    """
    rows = due(chain=chain).select_related("setup__safe__chain").order_by("pk")
    return sum(_tell(row) for row in rows)


@transaction.atomic
def _tell(request: RecoveryRequest) -> bool:
    """Tell of one request as it is now; False if another worker was faster."""
    safe, status = request.setup.safe, Status(request.status)
    people = _people(request)
    is_first = request.told_status != status
    claimed = RecoveryRequest.objects.filter(
        pk=request.pk,
        status=status,
        told_status=request.told_status,
        told_at=request.told_at,
    ).update(
        told_status=status,
        told_at=timezone.now(),
        told_people=sorted({user.pk for user in people} | set(request.told_people)),
    )
    if not claimed:
        return False
    if status == Status.PENDING:
        kind = Kind.RECOVERY_BEGAN if is_first else Kind.RECOVERY_WAITS
        words = _words_of_pending(request)
    elif _is_news(request):
        kind, words = Kind.RECOVERY_ENDED, f"The recovery {ENDINGS[status]}"
    else:
        return False
    name = visible(safe.name, limit=NAME_CHARACTERS)
    for user in people:
        security_events.note(user=user, kind=kind, detail=f"{name}: {words}")
    outside = alert_contacts.warn(
        safe=safe, notice=NOTICES[kind], detail=f"{name}: {words}"
    )
    logger.warning(
        "recovery request %s: %s people and %s outside were told",
        *(request.pk, len(people), outside),
    )
    return True


def _people(request: RecoveryRequest) -> list[User]:
    """Return the owners, those who owned it when it began, and the guardians."""
    people = dict.fromkeys(owner_news.signing(request.setup.safe))
    if request.status != Status.PENDING:
        known = User.objects.filter(pk__in=request.told_people)
        people |= dict.fromkeys(known.order_by("pk"))
    guardians = Guardian.objects.current().filter(setup=request.setup)
    for guardian in guardians.select_related("credential__user", "holder"):
        if guardian.person is not None:
            people[guardian.person] = None
    return list(people)


def _words_of_pending(request: RecoveryRequest) -> str:
    count = request.approvals
    who = "1 guardian has" if count == 1 else f"{count} guardians have"
    moment = datetime.fromtimestamp(cancel_by(request), tz=UTC)
    return (
        f"{who} begun a recovery. Its owners can cancel it until "
        f"{moment:%-d %B %Y, %H:%M} UTC."
    )


def _is_news(request: RecoveryRequest) -> bool:
    """Whether anybody heard that it began, or could still be surprised by it."""
    head = request.setup.safe.chain.head_timestamp or 0
    return bool(request.told_status) or request.execute_after > head - NEWS_SECONDS
