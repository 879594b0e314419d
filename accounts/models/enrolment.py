"""Links that make an operator's key."""

from __future__ import annotations

from django.db import models

from accounts.fields import BytesField
from accounts.models.user import NAME_CHARACTERS


class Enrolment(models.Model):
    """A link that makes one operator's key; only its token's hash is stored (R62)."""

    token_hash = BytesField(
        max_length=32, unique=True, help_text="SHA-256 of the link's token."
    )
    operator_name = models.CharField(max_length=NAME_CHARACTERS)
    is_replacement = models.BooleanField(
        default=False, help_text="Ends the operator's old key and sessions when used."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(
        help_text="15 minutes after the link was printed."
    )
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Enrolment of {self.operator_name}"
