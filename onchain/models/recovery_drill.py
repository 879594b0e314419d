"""A rehearsal of a recovery: guardians are asked, they answer, and nothing happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from onchain.fields import AddressField, Bytes32Field
from onchain.models.guardian_answer import GuardianAnswer
from onchain.models.safe import Safe
from onchain.models.transitions import TransitionQuerySet
from onchain.protocol.typed_data import recovery_drill_hash
from onchain.protocol.types import Address, Bytes32, to_address


class RecoveryDrillQuerySet(TransitionQuerySet["RecoveryDrill"]):
    """Reads of rehearsals, named for what they mean."""

    def running(self) -> Self:
        """Those that guardians can answer."""
        return self.filter(status=RecoveryDrill.Status.RUNNING)


class RecoveryDrill(models.Model):
    """One time that an owner asked all guardians to show that they can sign.

    It is no claim and reaches no module: what guardians sign names no contract. Whom it
    asks is fixed at the start; what it shows is judged by who guards the account then.
    States: RUNNING -> COMPLETE (each guardian answered), LAPSED (its time is over) or
    ENDED (an owner ended it).
    """

    class Status(models.TextChoices):
        RUNNING = "running", "Under way"
        COMPLETE = "complete", "Everybody answered"
        LAPSED = "lapsed", "Its time is over"
        ENDED = "ended", "Ended early"

    MOVES = {
        Status.RUNNING: {Status.COMPLETE, Status.LAPSED, Status.ENDED},
        Status.COMPLETE: set(),
        Status.LAPSED: set(),
        Status.ENDED: set(),
    }

    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="recovery_drills"
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="recovery_drills",
    )
    module = AddressField(help_text="whose guardians are asked")
    nonce = Bytes32Field(unique=True, help_text="random; guardians sign it")
    guardians: Any = models.JSONField(
        help_text="checksummed addresses of who is asked, in the module's order"
    )
    threshold = models.PositiveIntegerField(
        help_text="how many had to approve when it began"
    )
    token_hash = Bytes32Field(
        unique=True, null=True, help_text="SHA-256 of the link's token; empty: no link"
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.RUNNING)
    asked_at = models.DateTimeField(help_text="whole seconds; guardians sign it")
    until = models.DateTimeField(help_text="from then on nobody is asked any more")
    ended_at = models.DateTimeField(null=True)
    answered = models.PositiveIntegerField(
        default=0, help_text="guardians at its end whose signature counted"
    )
    asked = models.PositiveIntegerField(
        default=0, help_text="of whom it asked, guardians still at its end"
    )
    needed = models.PositiveIntegerField(
        default=0, help_text="how many had to approve at its end; 0: nobody could"
    )

    objects = RecoveryDrillQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["safe"],
                condition=Q(status="running"),
                name="onchain_recoverydrill_one_running",
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"rehearsal {self.pk} of account {self.safe_id}"

    @property
    def guardian_list(self) -> list[Address]:
        """Who is asked."""
        return [to_address(text) for text in self.guardians]

    @property
    def hash_to_sign(self) -> Bytes32:
        """The hash that guardians sign: 32 bytes."""
        return recovery_drill_hash(
            chain_id=self.safe.chain.chain_id,
            account=Address(self.safe.address),
            nonce=Bytes32(self.nonce),
            asked_at=int(self.asked_at.timestamp()),
        )

    @property
    def is_running(self) -> bool:
        """Whether guardians can answer."""
        return self.status == self.Status.RUNNING

    @property
    def was_enough(self) -> bool:
        """Whether those who answered would have recovered the account, at its end."""
        return 0 < self.needed <= self.answered


class DrillAnswer(GuardianAnswer):
    """One guardian's signature in a rehearsal; it is worth nothing anywhere else."""

    Status = GuardianAnswer.Status
    MOVES = {
        Status.SIGNED: {Status.VALID, Status.REFUSED},
        Status.VALID: set(),
        Status.REFUSED: set(),
    }

    drill = models.ForeignKey(
        RecoveryDrill, on_delete=models.PROTECT, related_name="answers"
    )

    objects = TransitionQuerySet["DrillAnswer"].as_manager()

    class Meta(GuardianAnswer.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["drill", "guardian"],
                condition=Q(status__in=["signed", "valid"]),
                name="onchain_drillanswer_one_per_guardian",
            )
        ]

    def __str__(self) -> str:
        return f"answer {self.pk} by {self.guardian_text}"

    @property
    def took(self) -> timedelta:
        """How long the guardian took."""
        return self.created_at - self.drill.asked_at
