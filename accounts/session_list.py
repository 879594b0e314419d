"""The sessions of a person: where they are signed in, and ending some of them (R14)."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from accounts import security_events
from accounts.answers import person
from accounts.credentials import name_of
from accounts.models import SecurityEvent, Session, User
from accounts.session_store import running, stored

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where somebody is signed in."""

    session: Session
    passkey: str  # its name; empty: it was removed since
    is_this: bool  # the one that asks


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return the sessions of the signed-in person, this one first."""
    user, this = person(request), stored(request).row_id
    if user is None:
        raise TypeError("the view lacks its login check")
    rows = running().filter(user=user).select_related("credential")
    places = [
        Place(
            session=row,
            passkey="" if row.credential is None else name_of(row.credential),
            is_this=row.pk == this,
        )
        for row in rows.order_by("-last_seen_at")
    ]
    places.sort(key=lambda place: not place.is_this)
    has_others = any(not place.is_this for place in places)
    return {"places": places, "has_other_sessions": has_others}


def end(*, user: User, session: uuid.UUID) -> bool:
    """End one of the person's sessions; False: it is somebody else's.

    One that is over already counts as ended: its row may have been swept, or ended in
    another tab, while the button stood there. Safe to repeat.
    """
    deleted, _ = Session.objects.filter(pk=session, user=user).delete()
    if deleted:
        logger.info("user %s ended session %s", user.pk, session)
        return True
    return not Session.objects.filter(pk=session).exists()


def end_others(*, user: User, keep: uuid.UUID | None, browser: str = "") -> int:
    """End every session of the person but one; return how many that were.

    One DELETE is all it takes: a session without its row opens nothing, and a request
    that runs in one at this moment cannot write the row back. Raising
    ``session_epoch`` would end the kept one too. Safe to repeat.
    """
    others = Session.objects.filter(user=user)
    if keep is not None:
        others = others.exclude(pk=keep)
    with transaction.atomic():
        count, _ = others.delete()
        if count:
            security_events.note(
                user=user,
                kind=SecurityEvent.Kind.SIGNED_OUT_EVERYWHERE,
                detail="1 session" if count == 1 else f"{count} sessions",
                browser=browser,
            )
    return count
