"""What people are told about their keys and sessions.

An event is a row that its person reads on the passkeys page, and a mail where there is
an address for alerts.
"""

from __future__ import annotations

import logging

from accounts.models import SecurityEvent, User

logger = logging.getLogger(__name__)

Kind = SecurityEvent.Kind


def note(
    *, user: User, kind: SecurityEvent.Kind, detail: str = "", browser: str = ""
) -> SecurityEvent:
    """Write down what happened; call it in the transaction of what it tells of."""
    event = SecurityEvent.objects.create(
        user=user, kind=kind, detail=detail[:200], browser=browser[:80]
    )
    logger.info("security event %s of user %s: %s", event.pk, user.pk, kind)
    return event
