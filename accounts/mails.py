"""Making and sending the mails that wait as rows (R61, R62).

A row is claimed by one conditional UPDATE that also counts the attempt and takes a
lease. Whoever dies before the mail is marked sent leaves a lease that runs out, and the
mail goes once more: a mail may come twice, and is never lost. After the last attempt it
stays as FAILED, for operators to see. The text is made when it is sent, so no link's
token stands in a row, a message of the broker or a log (R40).
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from accounts import email_links, mail_texts
from accounts.models import OutgoingMail

logger = logging.getLogger(__name__)

Status = OutgoingMail.Status

ATTEMPTS = 6
FIRST_WAIT = timedelta(seconds=30)  # then 2, 8, 32 and 128 minutes
WAIT_FACTOR = 4
LEASE = timedelta(minutes=5)  # far longer than a mail server may take for one mail
SENDERS = 2  # at once: a mail server that hangs must not keep the chain's workers
FAILED_FOR = timedelta(days=1)  # for which operators are told of a failed mail
WAITING_LONG = timedelta(minutes=5)  # R60
RUN_SECONDS = 20  # afterwards the next run goes on
RUN_MAILS = 100
RELATED = ("to__user", "event", "outsider")
LINKS = (OutgoingMail.Kind.VERIFY, OutgoingMail.Kind.ASK)


def send_due() -> int:
    """Send what waits; return how many mails went out.

    Safe to run many times at once: each mail is claimed before it is sent.
    """
    if not settings.HAS_EMAIL:
        return 0
    waiting = list(due().order_by("pk").select_related(*RELATED)[:RUN_MAILS])
    if not waiting or _senders() >= SENDERS:
        return 0
    end = time.monotonic() + RUN_SECONDS
    sent = 0
    for mail in waiting:
        sent += send(mail)
        if time.monotonic() > end:
            break
    return sent


def due() -> QuerySet[OutgoingMail]:
    """Return the mails that a worker may take now: new, put off, or left behind."""
    is_free = Q(lease_until=None) | Q(lease_until__lte=Now())
    return OutgoingMail.objects.filter(
        is_free, status__in=[Status.QUEUED, Status.SENDING]
    )


def send(mail: OutgoingMail) -> bool:
    """Send one mail if nobody else has it; return whether it went out.

    Safe to repeat, and to run many times at once. ``mail`` is the row as it was read:
    whoever claimed it since has counted an attempt, which this claim then misses.
    """
    if mail.attempts >= ATTEMPTS:
        logger.error("mail %s failed for good: its sender went away", mail.pk)
        _move(mail, source=due(), status=Status.FAILED)
        return False
    if mail.kind in LINKS and email_links.is_flooded(mail_texts.address_of(mail)):
        _move(mail, source=due(), lease_until=Now() + email_links.FLOODED)
        return False
    is_claimed = _move(
        mail,
        source=due(),
        status=Status.SENDING,
        attempts=F("attempts") + 1,
        lease_until=Now() + LEASE,
    )
    if not is_claimed:
        return False
    mail.attempts += 1
    message = _message(mail)
    if message is None:
        # The link it was to carry is not wanted any more.
        mail.delete()
        return False
    try:
        message.send()
    except Exception as error:  # noqa: BLE001 - each backend raises its own kind
        # The kind only: words of mail servers name addresses (R40).
        logger.warning("mail %s was not sent: %s", mail.pk, type(error).__name__)
        _put_off(mail)
        return False
    _move(mail, status=Status.SENT, sent_at=Now(), lease_until=None)
    logger.info("mail %s sent", mail.pk)
    return True


def unsent(*, now: datetime) -> tuple[int, int]:
    """Return how many mails failed for good today, and how many wait for minutes."""
    counts = OutgoingMail.objects.aggregate(
        failed=Count(
            "pk", filter=Q(status=Status.FAILED, created_at__gt=now - FAILED_FOR)
        ),
        waiting=Count(
            "pk",
            filter=Q(
                status__in=[Status.QUEUED, Status.SENDING],
                created_at__lt=now - WAITING_LONG,
            ),
        ),
    )
    return counts["failed"], counts["waiting"]


def wait_after(attempts: int) -> timedelta:
    """Return how long a mail rests after so many failed attempts."""
    return FIRST_WAIT * WAIT_FACTOR ** (attempts - 1)


def _senders() -> int:
    """Return how many mails are being sent: not exact, it only saves effort."""
    return OutgoingMail.objects.filter(
        status=Status.SENDING, lease_until__gt=Now()
    ).count()


def _put_off(mail: OutgoingMail) -> None:
    if mail.attempts >= ATTEMPTS:
        logger.error("mail %s failed for good", mail.pk)
        _move(mail, status=Status.FAILED, lease_until=None)
        return
    _move(mail, status=Status.QUEUED, lease_until=Now() + wait_after(mail.attempts))


def _move(
    mail: OutgoingMail,
    *,
    source: QuerySet[OutgoingMail] | None = None,
    **fields: Any,
) -> bool:
    """Change the row unless another worker took it since ``mail`` was read."""
    if source is None:
        source = OutgoingMail.objects.filter(status=Status.SENDING)
    return source.filter(pk=mail.pk, attempts=mail.attempts).update(**fields) == 1


def _message(mail: OutgoingMail) -> EmailMessage | None:
    """Return the mail; None if it is for a link that nobody waits for any more."""
    text = mail_texts.text_of(mail)
    if text is None:
        return None
    subject, body = text
    return EmailMessage(
        subject=f"{settings.WEBAUTHN_RP_NAME}: {subject}",
        body=body,
        to=[mail_texts.address_of(mail)],
        headers={"Message-ID": _message_id(mail), "Auto-Submitted": "auto-generated"},
    )


def _message_id(mail: OutgoingMail) -> str:
    """Return the same id when an alert goes out twice, so that mailboxes show it once.

    Each mail with a link has its own: a second one holds another token.
    """
    attempt = mail.attempts if mail.kind in LINKS else 0
    digest = salted_hmac("accounts.mails", f"{mail.pk}:{attempt}").hexdigest()
    return f"<{digest}@{settings.SITE_HOST}>"
