"""What an owner signed."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from onchain.models.owner import Owner
from onchain.models.user_operation import UserOperation


class OperationSignatureQuerySet(models.QuerySet["OperationSignature"]):
    """Reads of signatures, named for what they mean."""

    def counting(self) -> Self:
        """Those that count: of present owners, who were not removed in between.

        A contract's answer counts once the chain has said that it is one.
        """
        return self.filter(owner__is_current=True, voided_at=None, is_checked=True)


class OperationSignature(models.Model):
    """One owner's signature over an operation's SafeOp hash."""

    operation = models.ForeignKey(
        UserOperation, on_delete=models.PROTECT, related_name="signatures"
    )
    owner = models.ForeignKey(
        Owner, on_delete=models.PROTECT, related_name="signatures"
    )
    signature = models.BinaryField(help_text="as the owner's contract checks it")
    is_checked = models.BooleanField(
        default=True, help_text="no: a contract's, and the chain was not asked yet"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    voided_at = models.DateTimeField(
        null=True,
        help_text="when its owner was removed, or refused it: it never counts again",
    )

    objects = OperationSignatureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["operation", "owner"],
                condition=Q(voided_at=None),
                name="onchain_operationsignature_one_per_owner",
            )
        ]

    def __str__(self) -> str:
        return f"signature of {self.owner} on {self.operation}"

    @property
    def counts(self) -> bool:
        """Whether it is one of ``counting``."""
        return self.owner.is_current and self.voided_at is None and self.is_checked
