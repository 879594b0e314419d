"""A name by which somebody who lost an account finds it again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from onchain.models.safe import Safe


class RecoveryNickname(models.Model):
    """What an owner lets stand for the account's address on /recover/.

    Anybody who knows it learns the address. A name that was given up stays with its
    account: nobody else can take it and have the wrong account found by it.
    """

    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="recovery_nicknames"
    )
    name = models.CharField(max_length=32, unique=True)
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="recovery_nicknames",
    )
    removed_at = models.DateTimeField(null=True, help_text="empty: in use")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["safe"],
                condition=Q(removed_at__isnull=True),
                name="onchain_recoverynickname_one_in_use",
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name
