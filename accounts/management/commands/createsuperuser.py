"""In place of Django's command: there is no superuser and no password to ask for."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Name the command that operators need."""

    help = "Not used here: see create_operator."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse, in words."""
        raise CommandError(
            "There are no passwords and no superusers here. "
            "Use `manage.py create_operator NAME`."
        )
