"""A chain, the blocks lately seen on it, and who was last heard of."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from onchain.fields import Bytes32Field, Uint256Field


class Chain(models.Model):
    """One EVM chain this site works on. Node and bundler URLs are settings."""

    chain_id = models.PositiveBigIntegerField(unique=True, help_text="EIP-155 id")
    name = models.CharField(max_length=60)
    signer_proxy_code = models.BinaryField(
        null=True,
        help_text="creation code of the passkey signer proxy, read from the factory",
    )
    has_p256_precompile = models.BooleanField(
        default=False, help_text="the P-256 precompile at 0x0100 answers"
    )
    head_number = models.PositiveBigIntegerField(null=True)
    head_timestamp = models.PositiveBigIntegerField(null=True, help_text="seconds")
    confirmed_timestamp = models.PositiveBigIntegerField(
        null=True, help_text="seconds, of the newest confirmed block"
    )
    base_fee_wei = Uint256Field(null=True, help_text="wei per gas, of the head")
    newest_number = models.PositiveBigIntegerField(
        null=True, help_text="the node's newest block when blocks were last read"
    )
    catch_up_from = models.PositiveBigIntegerField(
        null=True, help_text="block at which catching up began; empty: up to date"
    )
    agreed_number = models.PositiveBigIntegerField(
        null=True,
        help_text="confirmed block that both nodes have; empty: there is one node",
    )
    follower_name = models.CharField(max_length=64, blank=True)
    follower_lease_until = models.DateTimeField(null=True)
    problem = models.CharField(
        max_length=200, blank=True, help_text="why submissions stopped; empty: they run"
    )
    sponsorship_paused = models.BooleanField(
        default=False, help_text="by an operator: accounts pay their own fees"
    )
    deployments_paused = models.BooleanField(
        default=False, help_text="by an operator: no new account is put on chain"
    )
    contracts_problem = models.CharField(
        max_length=200, blank=True, help_text="contracts are not the pinned ones"
    )
    node_problem = models.CharField(
        max_length=200, blank=True, help_text="the node is on another chain, or stale"
    )
    agreement_problem = models.CharField(
        max_length=200, blank=True, help_text="the two nodes say different things"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.chain_id})"

    @property
    def blocks_behind(self) -> int:
        """How many blocks are still to be read, while catching up; else 0."""
        if self.catch_up_from is None:
            return 0
        return max(0, (self.newest_number or 0) - (self.head_number or 0))

    @property
    def catching_up(self) -> str:
        """How far it has caught up: ``3,200 of 10,000 blocks``; empty otherwise."""
        left = self.blocks_behind
        if self.catch_up_from is None or not left:
            return ""
        done = (self.head_number or 0) - self.catch_up_from
        return f"{done:,} of {done + left:,} blocks"

    def is_confirmed(self, block_number: int) -> bool:
        """Whether enough blocks stand on it, and the second node, if any, agrees."""
        return block_number <= self.confirmed_number

    @property
    def confirmed_number(self) -> int:
        """The last block that ``is_confirmed`` (R48); below 0 where none is."""
        head = -1 if self.head_number is None else self.head_number
        deep = head + 1 - settings.CONFIRMATIONS
        return deep if self.agreed_number is None else min(deep, self.agreed_number)

    def confirmations_of(self, block_number: int) -> int:
        """Return how many blocks, its own included, stand on ``block_number``."""
        if self.head_number is None:
            return 0
        return max(0, self.head_number - block_number + 1)


class Block(models.Model):
    """The hash of a block the follower has read; what a reorg is noticed by."""

    chain = models.ForeignKey(Chain, on_delete=models.CASCADE, related_name="blocks")
    number = models.PositiveBigIntegerField()
    hash = Bytes32Field()
    timestamp = models.PositiveBigIntegerField(help_text="seconds")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "number"], name="onchain_block_one_per_number"
            )
        ]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"block {self.number}"


class Heartbeat(models.Model):
    """When a part of the system was last known to work."""

    class Component(models.TextChoices):
        NODE = "node", "Node"
        BUNDLER = "bundler", "Bundler"
        FOLLOWER = "follower", "Follower"
        WORKER = "worker", "Worker"
        RELAYER = "relayer", "Relayer"
        SECOND_NODE = "second-node", "Second node"
        SECOND_BUNDLER = "second-bundler", "Second bundler"

    chain = models.ForeignKey(
        Chain, on_delete=models.CASCADE, related_name="heartbeats"
    )
    component = models.CharField(max_length=14, choices=Component)
    seen_at = models.DateTimeField(null=True, help_text="last answer")
    detail = models.CharField(max_length=200, blank=True, help_text="last error")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "component"], name="onchain_heartbeat_one_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_component_display()} of {self.chain}"

    @property
    def is_stale(self) -> bool:
        """True once the component has been silent for longer than allowed."""
        limit = timedelta(seconds=settings.COMPONENT_STALE_SECONDS)
        return self.seen_at is None or timezone.now() - self.seen_at > limit
