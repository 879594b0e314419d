"""Asking somebody without a wallet whether they want to be warned, and warning them.

An address counts once its holder agreed by the link that was mailed there: nobody can
fill another one's mailbox. What they get are warnings in words; no mail but the
question carries a link, and the link does nothing but answer it (R61, R62).
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from accounts.email_links import token_hash
from accounts.errors import EmailRefused, OutsiderLinkRefused
from accounts.models import OutgoingMail, Outsider

logger = logging.getLogger(__name__)

Status = Outsider.Status
Notice = OutgoingMail.Notice

TOKEN_BYTES = 32
LIFE = timedelta(days=7)  # a friend may be away
DETAIL_CHARACTERS = 200  # of the column


@transaction.atomic
def ask(*, name: str, address: str, about: str) -> Outsider:
    """Ask an address whether it wants to be warned; a mail with a link is queued.

    Raises:
        EmailRefused: this site sends no mail.
    """
    if not settings.HAS_EMAIL:
        raise EmailRefused("This site sends no mail, so it cannot warn anybody.")
    outsider = Outsider.objects.create(name=name, address=address, about=about)
    OutgoingMail.objects.create(outsider=outsider, kind=OutgoingMail.Kind.ASK)
    logger.info("outsider %s is asked", outsider.pk)
    return outsider


def issue(outsider: Outsider) -> str | None:
    """Return the token of a new link; None if nobody waits for the answer any more."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    waiting = Outsider.objects.filter(pk=outsider.pk, status=Status.PENDING)
    is_issued = waiting.update(
        token_hash=token_hash(token), token_expires_at=Now() + LIFE
    )
    return token if is_issued else None


def answer(*, token: str, agrees: bool) -> Outsider:
    """Take the answer of whoever holds the link, once.

    Raises:
        OutsiderLinkRefused: unknown, used, expired or not wanted any more.
    """
    waiting = Outsider.objects.filter(
        status=Status.PENDING,
        token_hash=token_hash(token),
        token_expires_at__gt=Now(),
    )
    outsider = waiting.first()
    answered = waiting.update(
        status=Status.ACTIVE if agrees else Status.DECLINED,
        token_hash=None,
        token_expires_at=None,
        answered_at=Now(),
    )
    if outsider is None or not answered:
        raise OutsiderLinkRefused
    outsider.refresh_from_db()
    logger.info("outsider %s is %s", outsider.pk, outsider.status)
    return outsider


@transaction.atomic
def end(*, outsider: Outsider) -> bool:
    """Warn somebody no longer, and tell them so if they had agreed. Safe to repeat."""
    own = Outsider.objects.filter(pk=outsider.pk)
    over = {"status": Status.ENDED, "token_hash": None, "token_expires_at": None}
    if own.filter(status=Status.ACTIVE).update(**over):
        _queue(outsider, Notice.CONTACT_ENDED, "")
        return True
    return bool(own.filter(status=Status.PENDING).update(**over))


def warn(*, outsider: Outsider, notice: OutgoingMail.Notice, detail: str) -> None:
    """Queue a warning to somebody who agreed. Call it in what it tells of."""
    if outsider.status == Status.ACTIVE and settings.HAS_EMAIL:
        _queue(outsider, notice, detail)


def _queue(outsider: Outsider, notice: OutgoingMail.Notice, detail: str) -> None:
    OutgoingMail.objects.create(
        outsider=outsider,
        kind=OutgoingMail.Kind.NOTICE,
        notice=notice,
        detail=detail[:DETAIL_CHARACTERS],
    )
