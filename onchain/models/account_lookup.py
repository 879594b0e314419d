"""A person's question about an account that was made elsewhere."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models

from accounts.models import Credential, User
from onchain.fields import AddressField, Uint256Field
from onchain.models.chain import Chain
from onchain.models.safe import Safe
from onchain.models.transitions import TransitionQuerySet
from onchain.protocol.types import checksum_address


class AccountLookupQuerySet(TransitionQuerySet["AccountLookup"]):
    """Reads of questions."""

    def visible_to(self, user: User) -> Self:
        """The person's own questions: what one asks is nobody else's business."""
        return self.filter(user=user)


class AccountLookup(models.Model):
    """One address that a person wants to add, and what the chain says about it.

    States: READING (a worker asks the chain) -> FOUND or REFUSED. Asking again about
    the same address is READING again. Adding it is a proof of the passkey's, and the
    account belongs to nobody here before.
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

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lookups"
    )
    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="lookups")
    address = AddressField()
    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, null=True, related_name="lookups"
    )
    credential = models.ForeignKey(
        Credential,
        on_delete=models.CASCADE,
        null=True,
        related_name="lookups",
        help_text="the person's passkey among its owners",
    )
    owners: Any = models.JSONField(default=list, help_text="addresses, in its order")
    own_address = AddressField(null=True, help_text="the owner that is the passkey")
    threshold = models.PositiveSmallIntegerField(null=True)
    findings: Any = models.JSONField(default=list, help_text="what is foreign in it")
    transaction_count = Uint256Field(null=True, help_text="the Safe's own nonce")
    balance_wei = Uint256Field(null=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.READING)
    failure_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    asked_at = models.DateTimeField()

    objects = AccountLookupQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "chain", "address"],
                name="onchain_accountlookup_one_per_address",
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"question {self.pk} about {self.address_text}"

    @property
    def address_text(self) -> str:
        """The checksummed address."""
        return checksum_address(self.address)
