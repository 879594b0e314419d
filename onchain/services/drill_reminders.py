"""Reminding owners to rehearse a recovery: nobody tried for half a year.

Keys are lost quietly: whether guardians could still sign shows only when somebody asks.
What was told stands in the account's row, claimed by one conditional UPDATE together
with its events and mails, so it is told once however many workers look.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import security_events
from accounts.models import SecurityEvent
from accounts.visible_text import visible
from onchain.models import Chain, RecoveryDrill, RecoverySetup, Safe
from onchain.models.safe import SafeQuerySet
from onchain.services import owner_news

logger = logging.getLogger(__name__)

HALF_YEAR = timedelta(days=182)
AT_ONCE = 200  # accounts; the next run goes on
NAME_CHARACTERS = 50


def is_due(safe: Safe) -> bool:
    """Whether nobody rehearsed an account's recovery for half a year."""
    return _untried().filter(pk=safe.pk).exists()


def due(*, chain: Chain) -> SafeQuerySet:
    """Return the accounts whose owners are to hear of that now."""
    return _untried().filter(_unreminded(), chain=chain)


def tell_due(*, chain: Chain) -> int:
    """Remind the owners of every account that is due; return of how many.

    Safe to repeat and to run many times at once. Sends nothing: the mails are rows.
    """
    return sum(_tell(safe) for safe in due(chain=chain).order_by("pk")[:AT_ONCE])


@transaction.atomic
def _tell(safe: Safe) -> bool:
    """Remind one account's owners; False if another worker was faster."""
    rows = Safe.objects.filter(_unreminded(), pk=safe.pk)
    if not rows.update(rehearsal_reminded_at=timezone.now()):
        return False
    words = (
        f"{visible(safe.name, limit=NAME_CHARACTERS)}: for half a year nobody has "
        "tried whether its guardians could recover it."
    )
    for user in owner_news.signing(safe):
        security_events.note(
            user=user, kind=SecurityEvent.Kind.REHEARSAL_DUE, detail=words
        )
    logger.info("the owners of safe %s are reminded to rehearse", safe.pk)
    return True


def _untried() -> SafeQuerySet:
    """Return the guarded accounts without a rehearsal that is running or that ended
    within half a year, counted from when guardians could first recover them.
    """
    cutoff = timezone.now() - HALF_YEAR
    setups = RecoverySetup.objects.filter(
        safe=OuterRef("pk"), is_enabled=True, threshold__gt=0
    ).alias(since=Coalesce("active_since", "created_at"))
    drills = RecoveryDrill.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=cutoff), safe=OuterRef("pk")
    )
    return Safe.objects.filter(
        Exists(setups),
        ~Exists(setups.filter(since__gt=cutoff)),
        ~Exists(drills),
    )


def _unreminded() -> Q:
    cutoff = timezone.now() - HALF_YEAR
    told = Q(rehearsal_reminded_at__isnull=True)
    return told | Q(rehearsal_reminded_at__lte=cutoff)
