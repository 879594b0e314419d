"""The journal of what operators did, and the alarms that wait for them in it."""

from __future__ import annotations

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from accounts.models import User
from onchain.models import JournalEntry

# What the system writes when a row is not what was prepared or signed.
ALARMS = ("hash-mismatch", "intent-mismatch")
ACKNOWLEDGED = "acknowledge-alarm"
_ENTRY = "journal entry "


def note(*, actor: User | None, action: str, target: str, detail: str = "") -> None:
    """Write one line; ``actor`` None is the system itself."""
    JournalEntry.objects.create(
        actor=actor, action=action[:40], target=target[:120], detail=detail[:300]
    )


def alarms() -> QuerySet[JournalEntry]:
    """Return the rows found changed that no operator has looked at (R24, R28).

    They wait for ever: what writes into the database does not go by itself.
    """
    name = Concat(Value(_ENTRY), Cast(OuterRef("pk"), CharField()))
    seen = JournalEntry.objects.filter(action=ACKNOWLEDGED, target=name)
    return JournalEntry.objects.filter(~Exists(seen), action__in=ALARMS)


def acknowledge(*, entry: JournalEntry, actor: User) -> bool:
    """Note that an operator has looked at an alarm; False if it waits for nobody.

    Safe to repeat: of two at once both may be noted, which changes nothing.
    """
    if not alarms().filter(pk=entry.pk).exists():
        return False
    detail = f"{entry.action}: {entry.target}"
    note(actor=actor, action=ACKNOWLEDGED, target=f"{_ENTRY}{entry.pk}", detail=detail)
    return True
