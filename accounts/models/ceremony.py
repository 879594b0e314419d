"""Open challenges."""

from __future__ import annotations

from django.db import models

from accounts.fields import BytesField
from accounts.models.enrolment import Enrolment
from accounts.models.user import USER_HANDLE_BYTES, User


class Ceremony(models.Model):
    """An open challenge: deleted by the finish that uses it, or swept once expired."""

    class Purpose(models.TextChoices):
        REGISTRATION = "registration", "Registration"
        AUTHENTICATION = "authentication", "Authentication"
        ENROLMENT = "enrolment", "Operator's enrolment"
        ADDITION = "addition", "Another passkey"
        STEP_UP = "step-up", "Confirmation of one action"

    challenge = BytesField(max_length=64, unique=True, help_text="64 random bytes.")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    session_hash = BytesField(
        max_length=32, help_text="SHA-256 of the session key that began it."
    )
    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        help_text="Who was signed in when it began; empty for a stranger.",
    )
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, null=True, blank=True
    )
    user_handle = BytesField(
        max_length=USER_HANDLE_BYTES,
        null=True,
        blank=True,
        help_text="The handle that a new user will get (registration, enrolment).",
    )
    action = models.CharField(
        max_length=32, blank=True, help_text="What a step-up confirms (R14)."
    )
    target = models.CharField(
        max_length=254, blank=True, help_text="On what: a primary key or an address."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(
        db_index=True, help_text="Five minutes later, by the database's clock (R55)."
    )

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "ceremonies"

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ceremony {self.pk}"

    @property
    def new_user_handle(self) -> bytes:
        """The handle of the user that this ceremony makes or adds a passkey to."""
        if self.user_handle is None:
            raise TypeError(f"{self} makes no user")
        return bytes(self.user_handle)
