"""What a person said they understand about an account."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from onchain.models.safe import Safe


class Acknowledgement(models.Model):
    """A person's word that losing the only key loses the account.

    It is about the owners of its moment: when the chain has other ones, the row goes,
    and with it the silence that it bought. Undoing it deletes the row too.
    """

    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="acknowledgements"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="acknowledgements",
    )
    acknowledged_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["safe", "user"], name="onchain_acknowledgement_once"
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.user} on {self.safe}"
