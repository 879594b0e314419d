"""What a guardian signs for somebody who asks for an account."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Credential
from onchain.fields import AddressField
from onchain.models.owner import Owner
from onchain.models.recovery_claim import AccountClaim
from onchain.models.transitions import TransitionQuerySet
from onchain.protocol.types import checksum_address


class GuardianApproval(models.Model):
    """One guardian's signature of one account's recovery.

    States: SIGNED (a worker asks the chain whether it counts) -> VALID or REFUSED; a
    plain wallet's is recovered at once. A contract may change its mind, which takes
    VALID to REFUSED. Whether its guardian still is one is asked again before anything
    is sent.
    """

    Kind = Owner.Kind

    class Status(models.TextChoices):
        SIGNED = "signed", "Being checked"
        VALID = "valid", "Valid"
        REFUSED = "refused", "Refused"

    MOVES = {
        Status.SIGNED: {Status.VALID, Status.REFUSED},
        Status.VALID: {Status.REFUSED},
        Status.REFUSED: set(),
    }

    account_claim = models.ForeignKey(
        AccountClaim, on_delete=models.PROTECT, related_name="approvals"
    )
    guardian = AddressField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="guardian_approvals",
    )
    kind = models.CharField(max_length=8, choices=Kind)
    credential = models.ForeignKey(
        Credential,
        on_delete=models.PROTECT,
        null=True,
        related_name="guardian_approvals",
    )
    signature = models.BinaryField(help_text="as the module hands it to the guardian")
    status = models.CharField(max_length=8, choices=Status, default=Status.SIGNED)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TransitionQuerySet["GuardianApproval"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_claim", "guardian"],
                condition=Q(status__in=["signed", "valid"]),
                name="onchain_guardianapproval_one_per_guardian",
            )
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"approval {self.pk} by {self.guardian_text}"

    @property
    def guardian_text(self) -> str:
        """The checksummed address."""
        return checksum_address(self.guardian)
