"""Who was reminded of an approval, and when."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from onchain.models.user_operation import UserOperation


class Reminder(models.Model):
    """One mail that asked somebody to approve: one a day and person at most."""

    operation = models.ForeignKey(
        UserOperation, on_delete=models.PROTECT, related_name="reminders"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reminders"
    )
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="sent_reminders",
    )
    day = models.DateField(help_text="of UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "day"], name="onchain_reminder_one_a_day"
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"reminder of {self.operation} to {self.user}"
