"""What a guardian signed, and whether it counts: the columns of each kind of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Credential
from onchain.fields import AddressField
from onchain.models.owner import Owner
from onchain.protocol.types import checksum_address


class GuardianAnswer(models.Model):
    """One guardian's signature.

    States: SIGNED (a worker asks the chain whether it counts) -> VALID or REFUSED; a
    plain wallet's is recovered at once.
    """

    Kind = Owner.Kind

    class Status(models.TextChoices):
        SIGNED = "signed", "Being checked"
        VALID = "valid", "Valid"
        REFUSED = "refused", "Refused"

    guardian = AddressField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
    )
    kind = models.CharField(max_length=8, choices=Kind)
    credential = models.ForeignKey(
        Credential,
        on_delete=models.PROTECT,
        null=True,
        related_name="%(class)ss",
    )
    signature = models.BinaryField(help_text="as a contract reads it")
    status = models.CharField(max_length=8, choices=Status, default=Status.SIGNED)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ["pk"]

    @property
    def guardian_text(self) -> str:
        """The checksummed address."""
        return checksum_address(self.guardian)
