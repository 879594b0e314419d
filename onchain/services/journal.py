"""The journal of what operators did."""

from __future__ import annotations

from accounts.models import User
from onchain.models import JournalEntry


def note(*, actor: User | None, action: str, target: str, detail: str = "") -> None:
    """Write one line; ``actor`` None is the system itself."""
    JournalEntry.objects.create(
        actor=actor, action=action[:40], target=target[:120], detail=detail[:300]
    )
