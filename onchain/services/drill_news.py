"""Telling guardians and owners of a rehearsal: it is no secret, an owner began it."""

from __future__ import annotations

from collections.abc import Sequence

from accounts import security_events
from accounts.models import SecurityEvent
from accounts.visible_text import visible
from onchain.models import Guardian, RecoveryDrill
from onchain.services import drill_results, owner_news

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
    tally = drill_results.kept_tally_of(drill)
    words = f"{_name(drill)}: {drill_results.words_of(tally, is_over=True)}"
    for user in owner_news.signing(drill.safe):
        security_events.note(user=user, kind=Kind.REHEARSAL_ENDED, detail=words)


def _name(drill: RecoveryDrill) -> str:
    return visible(drill.safe.name, limit=NAME_CHARACTERS)
