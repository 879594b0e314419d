"""What operators did, and what the system noticed."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class JournalEntry(models.Model):
    """One line of the journal; written by services, never changed."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="the operator; empty: the system itself",
    )
    action = models.CharField(max_length=40)
    target = models.CharField(max_length=120)
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "journal entries"

    def __str__(self) -> str:
        return f"{self.action}: {self.target}"
