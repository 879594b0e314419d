"""Print the link with which an operator enrols a passkey. See accounts.enrolments."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from accounts import enrolments
from accounts.errors import EnrolmentRefused
from accounts.models import NAME_CHARACTERS


class Command(BaseCommand):
    """The only way in which anybody becomes an operator."""

    help = "Print an enrolment link for an operator: one use, 15 minutes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a name, and whether an existing key shall end."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="end the operator's key and sessions when the new key is enrolled",
        )

    def handle(self, *args: Any, name: str, replace: bool, **options: Any) -> None:
        """Print the link, to this terminal only."""
        if not name.isprintable() or not 0 < len(name.strip()) <= NAME_CHARACTERS:
            raise CommandError(
                f"A name is 1 to {NAME_CHARACTERS} printable characters."
            )
        try:
            token = enrolments.issue(name=name.strip(), replace=replace)
        except EnrolmentRefused as error:
            raise CommandError(error.message) from error
        path = reverse("enrolment")
        self.stdout.write(f"{settings.SITE_ORIGIN}{path}#{token}")
        self.stderr.write("Open it within 15 minutes. It works once.")
