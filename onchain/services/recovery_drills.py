"""Rehearsing a recovery: an owner asks all guardians to show that they can sign.

A rehearsal is no claim: what guardians sign names no contract, so nothing on chain ever
reads it, and no transaction is made of it. It has rows, links and pages of its own.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from onchain.errors import DrillRefused
from onchain.models import Chain, DrillAnswer, RecoveryDrill, Safe
from onchain.services import (
    drill_news,
    drill_results,
    recovery_claims,
    recovery_setups,
)

logger = logging.getLogger(__name__)

Status = RecoveryDrill.Status
LIFE = timedelta(days=14)
WEEK = timedelta(days=7)
MOST_A_WEEK = 3  # for one account: each one asks every guardian
TOKEN_BYTES = 32


def running(safe: Safe) -> RecoveryDrill | None:
    """Return the rehearsal that is under way, if there is one."""
    return RecoveryDrill.objects.running().filter(safe=safe).first()


def newest(safe: Safe) -> RecoveryDrill | None:
    """Return the rehearsal that is under way, or else the last one."""
    return RecoveryDrill.objects.filter(safe=safe).order_by("-pk").first()


def start(*, safe: Safe, user: User) -> RecoveryDrill:
    """Ask every guardian of an account to answer a rehearsal.

    Safe to repeat: an account has one rehearsal at a time. Who guards it and how many
    must approve is fixed here.

    Raises:
        DrillRefused: nobody guards it, or its guardians were asked often this week.
    """
    setup = recovery_setups.active(safe)
    guardians = recovery_setups.guardians_of(setup)
    if setup is None or not guardians:
        raise DrillRefused("Nobody guards this account, so there is nobody to ask.")
    under_way = running(safe)
    if under_way is not None:
        return under_way
    lately = RecoveryDrill.objects.filter(safe=safe, asked_at__gt=Now() - WEEK)
    if lately.count() >= MOST_A_WEEK:
        raise DrillRefused(
            f"Your guardians were asked {MOST_A_WEEK} times this week. Rehearse again "
            "in a few days."
        )
    now = timezone.now().replace(microsecond=0)  # guardians sign whole seconds
    try:
        with transaction.atomic():
            drill = RecoveryDrill.objects.create(
                safe=safe,
                started_by=user,
                module=setup.module,
                nonce=secrets.token_bytes(32),
                guardians=[row.address_text for row in guardians],
                threshold=setup.threshold,
                asked_at=now,
                until=now + LIFE,
            )
            drill_news.tell_started(drill, guardians=guardians)
    except IntegrityError:
        return RecoveryDrill.objects.running().get(safe=safe)
    logger.info("rehearsal %s of safe %s asks %s", drill.pk, safe.pk, len(guardians))
    return drill


def renew_link(*, drill: RecoveryDrill) -> str:
    """Return the token of a new link; the one before it ends.

    Raises:
        DrillRefused: it is over.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    rows = RecoveryDrill.objects.running().filter(pk=drill.pk)
    if not rows.update(token_hash=recovery_claims.token_hash(token)):
        raise DrillRefused("This rehearsal is over. Nobody is asked any more.")
    return token


def of_token(token: str) -> RecoveryDrill:
    """Return the rehearsal that a link is about.

    Raises:
        DrillRefused: unknown, replaced or over; which of these stays untold.
    """
    drills = RecoveryDrill.objects.running().filter(until__gt=Now())
    drill = drills.filter(token_hash=recovery_claims.token_hash(token)).first()
    if drill is None:
        raise DrillRefused(
            "This link does not work: it was replaced, or its rehearsal is over. Ask "
            "who gave it to you for a new one."
        )
    return drill


# --- How it ends ----------------------------------------------------------------------


def end(*, drill: RecoveryDrill) -> None:
    """End a rehearsal early. Safe to repeat."""
    _finish(drill, Status.ENDED)


def look(*, drill: RecoveryDrill) -> None:
    """End what everybody answered, or whose time is over. Safe to repeat."""
    tally = drill_results.tally_of(drill)
    if 0 < tally.asked == tally.answered:
        _finish(drill, Status.COMPLETE)
    elif drill.until <= timezone.now():
        _finish(drill, Status.LAPSED)


def settle(*, answer: DrillAnswer) -> None:
    """Let a rehearsal go on after a worker asked the chain about one of its answers.

    One that was signed in time and checked afterwards counts too.
    """
    drill = RecoveryDrill.objects.select_related("safe__chain").get(pk=answer.drill_id)
    if drill.is_running:
        look(drill=drill)
    else:
        _write_result(drill)


def due(*, chain: Chain) -> QuerySet[RecoveryDrill]:
    """Return the rehearsals whose time is over."""
    running = RecoveryDrill.objects.running().filter(safe__chain=chain)
    return running.filter(until__lte=Now())


@transaction.atomic
def _finish(drill: RecoveryDrill, target: str) -> None:
    if not RecoveryDrill.objects.transition(
        drill.pk, source=Status.RUNNING, target=target, ended_at=timezone.now()
    ):
        return
    drill.refresh_from_db()
    _write_result(drill)
    drill.refresh_from_db()
    logger.info("rehearsal %s is over: %s", drill.pk, target)
    drill_news.tell_ended(drill)


def _write_result(drill: RecoveryDrill) -> None:
    tally = drill_results.tally_of(drill)
    RecoveryDrill.objects.filter(pk=drill.pk).update(
        answered=tally.answered, asked=tally.asked, needed=tally.needed
    )
