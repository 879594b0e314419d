"""What the operator's own key sends."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.models.budget import Budget
from onchain.models.chain import Chain
from onchain.models.transitions import TransitionQuerySet
from onchain.protocol.types import Bytes32


class RelayerTransactionQuerySet(TransitionQuerySet["RelayerTransaction"]):
    """Reads of relayer transactions."""

    def in_flight(self) -> Self:
        """Signed, so they hold a nonce, and not yet on chain."""
        return self.filter(
            status__in=[
                RelayerTransaction.Status.SIGNED,
                RelayerTransaction.Status.BROADCAST,
            ]
        )


class RelayerTransaction(models.Model):
    """One L1 transaction of the relayer, stored before it is broadcast.

    A row that is made QUEUED with ``to``, ``data`` and ``gas_limit`` is a call that
    another part asks for; without ``gas_limit`` it is a plain transfer.

    States: QUEUED (no nonce) -> SIGNED (nonce, raw bytes and hash are fixed) ->
    BROADCAST -> MINED or FAILED (reverted, or refused before it was signed). A reorg
    takes MINED and FAILED back to BROADCAST. One that is stuck is signed again with the
    same nonce and higher fees; its earlier versions stay as RelayerAttempt, since any
    of them may be mined.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        SIGNED = "signed", "Signed"
        BROADCAST = "broadcast", "Broadcast"
        MINED = "mined", "Mined"
        FAILED = "failed", "Failed"

    class Purpose(models.TextChoices):
        DEPLOY = "deploy", "Deploy accounts"
        FAUCET = "faucet", "Test ETH"
        FILL = "fill", "Fill a gap of nonces"
        HANDLE_OPS = "carry", "Carry an operation"
        RECOVER = "recover", "Start a recovery"
        FINALIZE = "finalise", "Finish a recovery"

    MOVES = {
        Status.QUEUED: {Status.SIGNED, Status.FAILED},
        Status.SIGNED: {Status.BROADCAST, Status.MINED, Status.FAILED},
        Status.BROADCAST: {Status.MINED, Status.FAILED},
        Status.MINED: {Status.BROADCAST},
        Status.FAILED: {Status.BROADCAST},
    }

    chain = models.ForeignKey(
        Chain, on_delete=models.PROTECT, related_name="relayer_transactions"
    )
    purpose = models.CharField(max_length=12, choices=Purpose)
    is_safety = models.BooleanField(
        default=False, help_text="keeps an account safe: paid from the safety reserve"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    idempotency_key = models.UUIDField(null=True, unique=True)
    operation = models.ForeignKey(
        "onchain.UserOperation",
        on_delete=models.PROTECT,
        null=True,
        related_name="relayer_transactions",
        help_text="what it carries to the EntryPoint",
    )
    account_claim = models.ForeignKey(
        "onchain.AccountClaim",
        on_delete=models.PROTECT,
        null=True,
        related_name="relayer_transactions",
        help_text="the recovery that it starts or finishes",
    )
    to = AddressField()
    value_wei = Uint256Field(default=0)
    data = models.BinaryField(default=bytes)
    sender = AddressField(null=True)
    nonce = models.PositiveBigIntegerField(null=True)
    gas_limit = models.PositiveBigIntegerField(
        null=True, help_text="gas; empty while queued: that of a plain transfer"
    )
    max_fee_per_gas = Uint256Field(null=True, help_text="wei per gas")
    max_priority_fee_per_gas = Uint256Field(null=True, help_text="wei per gas")
    raw = models.BinaryField(null=True, help_text="signed bytes, sent as they are")
    hash = Bytes32Field(null=True, unique=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_detail = models.CharField(max_length=300, blank=True)
    block_number = models.PositiveBigIntegerField(null=True)
    gas_used = models.PositiveBigIntegerField(null=True)
    budget = models.ForeignKey(
        Budget, on_delete=models.PROTECT, null=True, related_name="transactions"
    )
    charged_wei = Uint256Field(
        default=0, help_text="wei that count in its budget: the cost, or the highest"
    )
    broadcast_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RelayerTransactionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "sender", "nonce"],
                name="onchain_relayertransaction_one_per_nonce",
            ),
            models.UniqueConstraint(
                fields=["operation"],
                condition=Q(status__in=["queued", "signed", "broadcast"]),
                name="onchain_relayertransaction_one_for_an_operation",
            ),
            models.UniqueConstraint(
                fields=["account_claim"],
                condition=Q(status__in=["queued", "signed", "broadcast"]),
                name="onchain_relayertransaction_one_for_a_claim",
            ),
        ]
        indexes = [models.Index(fields=["chain", "status"])]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.pk}"

    @property
    def max_fee_wei(self) -> int:
        """The most that its gas can cost; 0 before it is signed."""
        if self.gas_limit is None or self.max_fee_per_gas is None:
            return 0
        return self.gas_limit * self.max_fee_per_gas

    @property
    def max_cost_wei(self) -> int:
        """The most it can take from the relayer's balance; 0 before it is signed."""
        return self.max_fee_wei + self.value_wei if self.max_fee_wei else 0

    @property
    def hashes(self) -> list[Bytes32]:
        """The hashes under which it may be mined, the newest version's first."""
        own = [] if self.hash is None else [self.hash]
        return own + [attempt.hash for attempt in self.earlier.all()]


class RelayerAttempt(models.Model):
    """An earlier version of a relayer transaction, replaced by one that pays more.

    Only one of all versions can be mined, because they share the nonce.
    """

    transaction = models.ForeignKey(
        RelayerTransaction, on_delete=models.CASCADE, related_name="earlier"
    )
    raw = models.BinaryField(help_text="signed bytes, as they were sent")
    hash = Bytes32Field(unique=True)
    max_fee_per_gas = Uint256Field(help_text="wei per gas")
    replaced_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"earlier version of {self.transaction}"
