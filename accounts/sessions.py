"""Sessions that are over, and browsers that are not known any more, are not kept."""

from __future__ import annotations

from accounts.session_store import SessionStore
from accounts.sign_in import forget_old_browsers


def sweep_expired() -> None:
    """Delete what can no longer be used. Safe to repeat."""
    SessionStore.clear_expired()
    forget_old_browsers()
