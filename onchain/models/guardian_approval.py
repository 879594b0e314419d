"""What a guardian signs for somebody who asks for an account."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from onchain.models.guardian_answer import GuardianAnswer
from onchain.models.recovery_claim import AccountClaim
from onchain.models.transitions import TransitionQuerySet


class GuardianApproval(GuardianAnswer):
    """One guardian's signature of one account's recovery.

    A contract may change its mind, which takes VALID to REFUSED. Whether its guardian
    still is one is asked again before anything is sent.
    """

    Status = GuardianAnswer.Status
    MOVES = {
        Status.SIGNED: {Status.VALID, Status.REFUSED},
        Status.VALID: {Status.REFUSED},
        Status.REFUSED: set(),
    }

    account_claim = models.ForeignKey(
        AccountClaim, on_delete=models.PROTECT, related_name="approvals"
    )

    objects = TransitionQuerySet["GuardianApproval"].as_manager()

    class Meta(GuardianAnswer.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account_claim", "guardian"],
                condition=Q(status__in=["signed", "valid"]),
                name="onchain_guardianapproval_one_per_guardian",
            )
        ]

    def __str__(self) -> str:
        return f"approval {self.pk} by {self.guardian_text}"
