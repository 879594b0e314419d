"""A question that anybody may ask: who could bring this account back?"""

from __future__ import annotations

from typing import Any

from django.db import models

from onchain.fields import AddressField
from onchain.models.chain import Chain
from onchain.models.transitions import TransitionQuerySet
from onchain.protocol.types import checksum_address


class RecoveryLookup(models.Model):
    """What the chain says of one address, and nothing that this site knows of it.

    One row for each address, whoever asks: the answer is the same for accounts of this
    site and of elsewhere. States: READING (a worker asks the chain) -> FOUND or
    REFUSED; asking again is READING again.
    """

    class Status(models.TextChoices):
        READING = "reading", "Being read"
        FOUND = "found", "Found"
        REFUSED = "refused", "Refused"

    MOVES = {
        Status.READING: {Status.FOUND, Status.REFUSED},
        Status.FOUND: {Status.READING},
        Status.REFUSED: {Status.READING},
    }

    chain = models.ForeignKey(
        Chain, on_delete=models.PROTECT, related_name="recovery_lookups"
    )
    address = AddressField()
    owners: Any = models.JSONField(default=list, help_text="checksummed addresses")
    threshold = models.PositiveIntegerField(default=0)
    setups: Any = models.JSONField(
        default=list,
        help_text="enabled modules with their guardians",
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.READING)
    failure_code = models.CharField(max_length=40, blank=True)
    asked_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TransitionQuerySet["RecoveryLookup"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "address"], name="onchain_recoverylookup_one"
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"recovery of {self.address_text}"

    @property
    def address_text(self) -> str:
        """The checksummed address."""
        return checksum_address(self.address)
