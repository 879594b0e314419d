"""What the sponsor promised and paid, and what it can pay from."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from onchain.fields import AddressField, Uint256Field
from onchain.models.chain import Chain
from onchain.models.safe import Safe
from onchain.models.user_operation import UserOperation
from onchain.protocol.types import checksum_address


class SponsorshipQuerySet(models.QuerySet["Sponsorship"]):
    """Reads of sponsorships, named for what they mean."""

    def outstanding(self, *, confirmed: int | None) -> Self:
        """Those whose operation may still be included.

        ``confirmed`` is the confirmed head's time in seconds; None: it is not known.
        """
        unpaid = self.filter(paid_at=None)
        return (
            unpaid if confirmed is None else unpaid.filter(valid_until__gte=confirmed)
        )


class Sponsorship(models.Model):
    """One operation that the sponsor signed for (security.md R57).

    Written with the operation's move to AWAITING_SIGNATURES, in one transaction. It
    counts ``reserved_wei`` while the operation may still be included, ``paid_wei`` on
    the day it was, whether it succeeded or reverted, and nothing otherwise. A reorg
    empties ``paid_wei`` again. ``valid_until`` is 0 once another operation has used the
    nonce for certain: nobody can include this one any more.
    """

    class Pool(models.TextChoices):
        """Which part of the day's budget it takes from."""

        NEWCOMER = "newcomer", "New accounts"
        ESTABLISHED = "established", "Older or funded accounts"
        SAFETY = "safety", "Safety reserve"

    operation = models.OneToOneField(
        UserOperation, on_delete=models.PROTECT, related_name="sponsorship"
    )
    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="sponsorships", db_index=False
    )
    chain = models.ForeignKey(
        Chain, on_delete=models.PROTECT, related_name="sponsorships", db_index=False
    )
    pool = models.CharField(max_length=12, choices=Pool)
    signers = models.PositiveSmallIntegerField(help_text="more than one: a proposal")
    sponsor_name = models.CharField(
        max_length=60, blank=True, help_text="as the paymaster service calls itself"
    )
    reserved_wei = models.BigIntegerField(help_text="the most it can cost")
    paid_wei = models.BigIntegerField(null=True, help_text="what it cost on chain")
    valid_until = models.PositiveBigIntegerField(help_text="seconds, chain time")
    paid_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SponsorshipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(paid_at=None, paid_wei=None)
                | Q(paid_at__isnull=False, paid_wei__isnull=False),
                name="onchain_sponsorship_paid_at_some_time",
            ),
        ]
        indexes = [
            # Each holds all that one sum of the limits reads: the rows of a day, and
            # the few that are open, are added up without looking at the table.
            models.Index(
                fields=["chain", "paid_at", "pool", "safe", "paid_wei"],
                name="onchain_sponsorship_paid",
            ),
            models.Index(
                fields=["chain", "valid_until", "pool", "safe", "reserved_wei"],
                condition=Q(paid_at=None),
                name="onchain_sponsorship_open",
            ),
            models.Index(fields=["safe", "-id"], name="onchain_sponsorship_safe"),
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"sponsorship of {self.operation}"


class PaymasterDeposit(models.Model):
    """The operator's paymaster as the chain has it: its deposit, owner and signer."""

    chain = models.ForeignKey(
        Chain, on_delete=models.CASCADE, related_name="paymaster_deposits"
    )
    address = AddressField(help_text="of the VerifyingPaymaster")
    deposit_wei = Uint256Field(default=0, help_text="at the EntryPoint")
    owner = AddressField(null=True, help_text="who can withdraw the deposit")
    verifying_signer = AddressField(null=True, help_text="whose signatures it accepts")
    accepts_our_key = models.BooleanField(default=False)
    problem = models.CharField(
        max_length=200, blank=True, help_text="what an operator has to look at"
    )
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "address"], name="onchain_paymasterdeposit_one_each"
            )
        ]

    def __str__(self) -> str:
        return f"deposit of {checksum_address(self.address)}"
