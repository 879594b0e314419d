"""The journal of what operators did."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import User
from onchain.models import JournalEntry

# What the system writes when a row is not what was prepared or signed.
ALARMS = ("hash-mismatch", "intent-mismatch")
ALARM_HOURS = 24


def note(*, actor: User | None, action: str, target: str, detail: str = "") -> None:
    """Write one line; ``actor`` None is the system itself."""
    JournalEntry.objects.create(
        actor=actor, action=action[:40], target=target[:120], detail=detail[:300]
    )


def alarms(*, now: datetime) -> int:
    """Return how often a row was found changed in the last day (R24, R28)."""
    since = now - timedelta(hours=ALARM_HOURS)
    return JournalEntry.objects.filter(action__in=ALARMS, created_at__gt=since).count()
