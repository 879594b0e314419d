"""Sessions that are over, cleared from wherever SESSION_ENGINE keeps them."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings


def sweep_expired() -> None:
    """Delete the sessions that can no longer be used. Safe to repeat."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
