"""Telling guardians and owners of a rehearsal: it is no secret, an owner began it."""

from __future__ import annotations

from collections.abc import Sequence

from accounts import security_events
from accounts.models import SecurityEvent
from accounts.visible_text import visible
from onchain.models import Guardian, RecoveryDrill
from onchain.services import owner_news

Kind = SecurityEvent.Kind
NAME_CHARACTERS = 50


def tell_started(drill: RecoveryDrill, *, guardians: Sequence[Guardian]) -> None:
    """Ask every guardian who is known here, once each; tell the other owners.

    Call it in the transaction that makes the rehearsal.
    """
    asker = visible(drill.started_by.name, limit=NAME_CHARACTERS)
    until = f"{drill.until:%-d %B %Y}"
    people = dict.fromkeys(row.person for row in guardians if row.person is not None)
    words = (
        f"{asker} rehearses the recovery of an account that you guard. Sign in, open "
        f"Guardian and answer until {until}. Nothing can happen to the account."
    )
    for user in people:
        security_events.note(user=user, kind=Kind.REHEARSAL_ASKED, detail=words)
    words = (
        f"{_name(drill)}: {asker} asked its guardians to answer a rehearsal until "
        f"{until}."
    )
    for user in owner_news.signing(drill.safe):
        if user not in people:
            security_events.note(user=user, kind=Kind.REHEARSAL_STARTED, detail=words)


def tell_ended(drill: RecoveryDrill) -> None:
    """Tell the owners what it has shown. Call it in the transaction that ends it."""
    words = f"{_name(drill)}: {result_words(drill)}"
    for user in owner_news.signing(drill.safe):
        security_events.note(user=user, kind=Kind.REHEARSAL_ENDED, detail=words)


def result_words(drill: RecoveryDrill) -> str:
    """Return what a rehearsal that is over has shown."""
    if drill.needed == 0:
        return "Its guardians could not recover it any more when the rehearsal ended."
    have = "has" if drill.answered == 1 else "have"
    verdict = "would have worked" if drill.was_enough else "would not have worked"
    return (
        f"{drill.answered} of {drill.asked} {have} answered, {drill.needed} would be "
        f"enough. A recovery {verdict}."
    )


def _name(drill: RecoveryDrill) -> str:
    return visible(drill.safe.name, limit=NAME_CHARACTERS)
