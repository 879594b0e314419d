"""What the relayer may spend in a day, and on whose accounts."""

from __future__ import annotations

from django.db import models

from onchain.fields import Bytes32Field, Uint256Field
from onchain.models.chain import Chain


class Budget(models.Model):
    """One pool of the relayer's money on one UTC day.

    ``used_wei`` is the sum of ``charged_wei`` of the relayer transactions that point
    here: what those on chain cost, and the most that those in flight can cost.
    """

    class Pool(models.TextChoices):
        DEPLOYMENTS = "deployments", "New accounts"
        RELAYS = "relays", "Relayed calls"
        SAFETY = "safety", "Safety reserve"

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="budgets")
    pool = models.CharField(max_length=12, choices=Pool)
    day = models.DateField(help_text="UTC")
    used_wei = Uint256Field(default=0, help_text="wei, spent and promised")
    refused_at = models.DateTimeField(
        null=True, help_text="when something last did not fit; empty: it fits"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "pool", "day"], name="onchain_budget_one_per_day"
            )
        ]
        ordering = ["-day", "pool"]

    def __str__(self) -> str:
        return f"{self.get_pool_display()} on {self.day}"


class NetworkQuota(models.Model):
    """How many accounts of one network went into deployments on one UTC day.

    The network (a /24 of IPv4, a /48 of IPv6) is a keyed hash, kept for two days.
    """

    chain = models.ForeignKey(Chain, on_delete=models.CASCADE, related_name="+")
    network_hash = Bytes32Field()
    day = models.DateField(help_text="UTC")
    accounts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "network_hash", "day"],
                name="onchain_networkquota_one_per_day",
            )
        ]
        ordering = ["-day", "-accounts"]

    def __str__(self) -> str:
        return f"{self.accounts} on {self.day}"
