"""Sessions as rows that their person can see and end; browsers seen before (R14)."""

from __future__ import annotations

import uuid

from django.db import models

from accounts.fields import BytesField
from accounts.models.credential import Credential
from accounts.models.user import User

BROWSER_CHARACTERS = 80


class Session(models.Model):
    """A session, with what its person is told of it. The cookie's key is hashed here.

    ``expires_at`` is the absolute limit; the idle limit counts from ``last_seen_at``,
    which polling does not move. A stranger's session has no user.
    """

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, help_text="Names the session in pages."
    )
    key_hash = BytesField(
        max_length=32, unique=True, help_text="SHA-256 of the cookie's key."
    )
    data = models.TextField(help_text="Signed JSON, as Django's sessions have it.")
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="sessions"
    )
    credential = models.ForeignKey(
        Credential,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="The passkey that signed in.",
    )
    is_cross_device = models.BooleanField(
        default=False, help_text="Signed in with a passkey of another device."
    )
    browser = models.CharField(
        max_length=BROWSER_CHARACTERS, blank=True, help_text="e.g. Firefox on Linux."
    )
    signed_in_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-last_seen_at"]

    def __str__(self) -> str:
        return f"session {self.id}"


class KnownBrowser(models.Model):
    """A browser that a person signed in with before, known by a cookie's hash."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="known_browsers"
    )
    token_hash = BytesField(max_length=32, help_text="SHA-256 of the cookie.")
    browser = models.CharField(max_length=BROWSER_CHARACTERS, blank=True)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-last_seen_at"]
        constraints = [
            models.UniqueConstraint(
                name="accounts_knownbrowser_once_per_user",
                fields=["user", "token_hash"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.browser} of {self.user}"
