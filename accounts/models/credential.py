"""The public half of a passkey, WebAuthn's credential record.

Source: https://www.w3.org/TR/webauthn-3/#credential-record. Its key columns never
change, which a trigger in the database enforces (R7, migration 0002).
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import Exact, GreaterThanOrEqual

from accounts.fields import BytesField
from accounts.models.user import User

COORDINATE_BYTES = 32  # P-256


class CredentialQuerySet(models.QuerySet["Credential"]):
    """Reads of passkeys, named for what they mean."""

    def usable(self) -> Self:
        """The passkeys that sign somebody in: not removed, of an active user."""
        return self.filter(removed_at=None, user__is_active=True)

    def of(self, user: User) -> Self:
        """The person's passkeys that sign in, oldest first."""
        return self.filter(user=user, removed_at=None).order_by("pk")


class Credential(models.Model):
    """A passkey's public half: WebAuthn's credential record."""

    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="credentials", editable=False
    )
    credential_id = BytesField(
        max_length=1023, unique=True, help_text="16 to 1,023 bytes, chosen by the key."
    )
    public_key_x = BytesField(
        max_length=COORDINATE_BYTES, help_text="32 bytes, big-endian, P-256."
    )
    public_key_y = BytesField(
        max_length=COORDINATE_BYTES, help_text="32 bytes, big-endian, P-256."
    )
    aaguid = models.UUIDField(help_text="The provider's model number, unverified.")
    transports = models.JSONField(
        default=list, help_text="The browser's hints, e.g. internal, hybrid, usb."
    )
    name = models.CharField(
        max_length=64, blank=True, help_text="Chosen by the person; empty: unnamed."
    )
    backup_eligible = models.BooleanField(help_text="BE flag: the key may be synced.")
    backup_state = models.BooleanField(help_text="BS flag: the key is synced now.")
    sign_count = models.PositiveBigIntegerField(
        help_text="uint32 of the last assertion; 0 where the key keeps no counter."
    )
    flags = models.PositiveSmallIntegerField(
        null=True, help_text="Flags byte of the last authenticator data it made."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_signed_at = models.DateTimeField(
        null=True, blank=True, help_text="When it last signed something for the chain."
    )
    removed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Signs in no longer; kept, because an account on chain still has it.",
    )

    objects = CredentialQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="accounts_credential_public_key_once",
                fields=["public_key_x", "public_key_y"],
            ),
            models.CheckConstraint(
                name="accounts_credential_id_width",
                condition=GreaterThanOrEqual(Length("credential_id"), 16),
            ),
            models.CheckConstraint(
                name="accounts_credential_x_width",
                condition=Exact(Length("public_key_x"), COORDINATE_BYTES),
            ),
            models.CheckConstraint(
                name="accounts_credential_y_width",
                condition=Exact(Length("public_key_y"), COORDINATE_BYTES),
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"Passkey {self.pk}"

    @property
    def is_synced(self) -> bool:
        """Whether the provider says that it keeps a copy elsewhere."""
        return self.backup_eligible and self.backup_state
