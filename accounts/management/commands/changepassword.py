"""In place of Django's command: there is no password to change."""

from __future__ import annotations

from accounts.management.commands.createsuperuser import Command

__all__ = ["Command"]
