"""What an owner signed."""

from __future__ import annotations

from django.db import models

from onchain.models.owner import Owner
from onchain.models.user_operation import UserOperation


class OperationSignature(models.Model):
    """One owner's signature over an operation's SafeOp hash."""

    operation = models.ForeignKey(
        UserOperation, on_delete=models.PROTECT, related_name="signatures"
    )
    owner = models.ForeignKey(
        Owner, on_delete=models.PROTECT, related_name="signatures"
    )
    signature = models.BinaryField(help_text="as the owner's contract checks it")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["operation", "owner"],
                name="onchain_operationsignature_one_per_owner",
            )
        ]

    def __str__(self) -> str:
        return f"signature of {self.owner} on {self.operation}"
