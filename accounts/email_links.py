"""The link that verifies an address: 256 bits, 24 hours, once, one at a time (R62).

Its token is made when the mail is sent and stands in the link's fragment, which no
browser sends: it is in no row, no message of the broker, no log and no Referer. Only
its hash is kept. Whoever holds it must also be signed in as the person who asked.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from accounts.errors import EmailRefused
from accounts.models import EmailAddress, OutgoingMail

Status = EmailAddress.Status

TOKEN_BYTES = 32
LIFE = timedelta(hours=24)
MAILS_A_DAY = 5  # for one person
MAILBOX_A_DAY = 10  # to one mailbox, whoever asked
FLOODED = timedelta(hours=1)  # so long rests a mail to a mailbox that had enough


def queue(pending: EmailAddress) -> None:
    """End the link that is out, and queue a mail with a new one unless one waits.

    Call it under the lock of the person.

    Raises:
        EmailRefused: enough for today, or this site sends no mail.
    """
    if not settings.HAS_EMAIL:
        raise EmailRefused("This site sends no mail.")
    links = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.VERIFY)
    waiting = links.filter(to=pending, status=OutgoingMail.Status.QUEUED)
    if waiting.update(lease_until=None):
        return
    today = links.filter(
        to__user=pending.user_id, created_at__gt=Now() - timedelta(days=1)
    )
    if today.count() >= MAILS_A_DAY:
        raise EmailRefused(
            f"You asked for {MAILS_A_DAY} mails with a link today. Try again tomorrow."
        )
    EmailAddress.objects.filter(pk=pending.pk).update(token_hash=None)
    OutgoingMail.objects.create(to=pending, kind=OutgoingMail.Kind.VERIFY)


def issue(address: EmailAddress) -> str | None:
    """Return the token of a new link; None if nobody waits for one to this address.

    The link before it ends.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    is_pending = EmailAddress.objects.filter(pk=address.pk, status=Status.PENDING)
    is_issued = is_pending.update(
        token_hash=token_hash(token), token_expires_at=Now() + LIFE
    )
    return token if is_issued else None


def is_flooded(address: str) -> bool:
    """Say whether so many links went to this mailbox today that one more must wait.

    Wallets are free, and each may ask for a few links to somebody else's mailbox. Who
    asks is told nothing of it: their mail is on its way.
    """
    own = Q(kind=OutgoingMail.Kind.VERIFY, to__address__iexact=address)
    asked = Q(kind=OutgoingMail.Kind.ASK, outsider__address__iexact=address)
    sent = OutgoingMail.objects.filter(
        own | asked, sent_at__gt=Now() - timedelta(days=1)
    )
    return sent.count() >= MAILBOX_A_DAY


def state_of(pending: EmailAddress) -> str:
    """Return how the mail with the link is: queued, failed, sent or expired."""
    mail = pending.mails.filter(kind=OutgoingMail.Kind.VERIFY).first()
    if mail is None or mail.status == OutgoingMail.Status.FAILED:
        return "failed"
    if mail.status != OutgoingMail.Status.SENT:
        return "queued"
    is_open = EmailAddress.objects.filter(pk=pending.pk, token_expires_at__gt=Now())
    return "sent" if is_open.exists() else "expired"


def token_hash(token: str) -> bytes:
    """Return what is kept of a token: 256 random bits need no salt, no slow hash."""
    return hashlib.sha256(token.encode()).digest()
