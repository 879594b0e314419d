"""Who outside this site is warned when a recovery of an account begins."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Outsider
from onchain.models.safe import Safe


class AlertContact(models.Model):
    """A person whom an account's owners named; warned once they agreed by a link."""

    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="alert_contacts"
    )
    outsider = models.OneToOneField(
        Outsider, on_delete=models.PROTECT, related_name="alert_contact"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="named_alert_contacts",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"alert contact {self.pk} of account {self.safe_id}"


class UnwarnedAcknowledgement(models.Model):
    """Somebody said of an account that nobody can warn them, and sets it up anyway."""

    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="unwarned_acknowledgements"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["safe", "user"], name="onchain_unwarned_once_per_person"
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"nobody can warn user {self.user_id} about account {self.safe_id}"
