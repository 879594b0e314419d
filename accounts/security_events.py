"""What people are told about their keys and sessions.

An event is a row that its person reads on the passkeys page, and a mail where there is
an address for alerts. The mails are rows too, written with the event: whatever happens
to a worker or to the mail server, what was promised stays written down (R14, R61).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import EmailAddress, OutgoingMail, SecurityEvent, User
from accounts.models.session import BROWSER_CHARACTERS
from accounts.visible_text import visible

logger = logging.getLogger(__name__)

Kind = SecurityEvent.Kind
DETAIL_CHARACTERS = 200  # of the column
NEWEST = 20  # on the passkeys page


def note(
    *,
    user: User,
    kind: SecurityEvent.Kind,
    detail: str = "",
    browser: str = "",
    also: Iterable[EmailAddress] = (),
) -> SecurityEvent:
    """Write down what happened, and one mail for each address that must hear of it.

    Call it in the transaction of what it tells of. That is the address that gets the
    alerts, and ``also`` those that a change of the address concerns. Sends nothing:
    ``accounts.tasks.send_mails`` finds the rows by itself within seconds.
    """
    with transaction.atomic():
        event = SecurityEvent.objects.create(
            user=user,
            kind=kind,
            detail=visible(detail, limit=DETAIL_CHARACTERS),
            browser=visible(browser, limit=BROWSER_CHARACTERS),
        )
        if settings.HAS_EMAIL:
            _queue_mails(event, also)
    logger.info("security event %s of user %s: %s", event.pk, user.pk, kind)
    return event


def page_context(user: User) -> dict[str, Any]:
    """Return what the section of the passkeys page shows: the newest events."""
    newest = list(SecurityEvent.objects.filter(user=user)[: NEWEST + 1])
    return {
        "security_events": newest[:NEWEST],
        "has_more_events": len(newest) > NEWEST,
    }


def _queue_mails(event: SecurityEvent, also: Iterable[EmailAddress]) -> None:
    active = EmailAddress.objects.filter(
        user=event.user_id, status=EmailAddress.Status.ACTIVE
    )
    addresses = {*active.values_list("pk", flat=True), *(each.pk for each in also)}
    OutgoingMail.objects.bulk_create(
        OutgoingMail(to_id=pk, kind=OutgoingMail.Kind.EVENT, event=event)
        for pk in sorted(addresses)
    )
