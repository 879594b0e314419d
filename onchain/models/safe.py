"""A Safe smart account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.models.chain import Chain
from onchain.models.transitions import TransitionQuerySet
from onchain.protocol.types import checksum_address

if TYPE_CHECKING:
    from accounts.models import User


class SafeQuerySet(TransitionQuerySet["Safe"]):
    """Reads of accounts, named for what they mean."""

    def visible_to(self, user: User) -> Self:
        """The accounts that the person owns with a key, or may look at."""
        holds = Q(owners__credential__user=user) | Q(owners__holder=user)
        owned = self.model.objects.filter(holds, owners__is_current=True)
        shared = self.model.objects.filter(
            memberships__user=user, memberships__ended_at=None
        )
        return self.filter(Q(pk__in=owned.values("pk")) | Q(pk__in=shared.values("pk")))

    def awaiting_deployment(self) -> Self:
        """The accounts to put on chain, first come first served."""
        asked = self.filter(
            status=Safe.Status.QUEUED, deployment_requested_at__isnull=False
        )
        # How one made elsewhere was set up is not known.
        own = asked.exclude(layout=Safe.Layout.IMPORTED)
        return own.order_by("deployment_requested_at", "pk")


class Safe(models.Model):
    """An account at a CREATE2 address; its row exists before its code does.

    Layouts: DIRECT is put on chain by the relayer. SHARED is put there by its own first
    operation and paid for by its own balance. IMPORTED was made elsewhere and is on
    chain already; how it was set up is not known, so ``setup_data`` is empty.

    States: FORMING, while its first owners have yet to confirm each other, has an
    address that nobody should use. QUEUED -> BROADCAST -> DEPLOYED; BROADCAST falls
    back to QUEUED when the transaction failed or fell out of the chain; QUEUED ends in
    FAILED after repeated failures, and an operator's "Nudge again" puts it back.
    Whoever deployed it: once code is seen, it is DEPLOYED, until a reorg takes it back
    to BROADCAST or QUEUED. An IMPORTED one that is taken back is only looked for.
    """

    class Status(models.TextChoices):
        FORMING = "forming", "Forming"
        QUEUED = "queued", "Queued"
        BROADCAST = "broadcast", "Broadcast"
        DEPLOYED = "deployed", "Live"
        FAILED = "failed", "Failed"

    class Layout(models.TextChoices):
        DIRECT = "direct", "Direct"
        SHARED = "shared", "Shared"
        IMPORTED = "imported", "Made elsewhere"

    MOVES = {
        Status.FORMING: {Status.QUEUED, Status.DEPLOYED},
        Status.QUEUED: {Status.BROADCAST, Status.DEPLOYED, Status.FAILED},
        Status.BROADCAST: {Status.QUEUED, Status.DEPLOYED},
        Status.DEPLOYED: {Status.QUEUED, Status.BROADCAST},
        Status.FAILED: {Status.QUEUED, Status.DEPLOYED},
    }

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="safes")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="safes"
    )
    name = models.CharField(max_length=60)
    address = AddressField()
    layout = models.CharField(max_length=8, choices=Layout, default=Layout.DIRECT)
    salt_nonce = Uint256Field(default=0)
    verifiers = Uint256Field(help_text="uint176, part of the signers' addresses")
    setup_data = models.BinaryField(
        help_text="call data of Safe.setup, fixes the address; empty: not known"
    )
    creation_key = models.UUIDField(
        null=True, unique=True, help_text="of the form that asked for it"
    )
    threshold = models.PositiveSmallIntegerField(default=1)
    owners_synced_block = models.PositiveBigIntegerField(
        null=True,
        help_text="block at which owners and threshold were read; empty: to be read",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_detail = models.CharField(max_length=300, blank=True)
    deployment_requested_at = models.DateTimeField(null=True)
    deployment_attempts = models.PositiveSmallIntegerField(default=0)
    deployment_transaction = models.ForeignKey(
        "onchain.RelayerTransaction",
        on_delete=models.PROTECT,
        null=True,
        related_name="safes",
    )
    deployed_block = models.PositiveBigIntegerField(null=True)
    noticed_block = models.PositiveBigIntegerField(
        null=True, help_text="where somebody else made it; its signers may be missing"
    )
    network_hash = Bytes32Field(
        null=True, help_text="keyed hash of where it was opened from, for two days"
    )
    balance_wei = Uint256Field(default=0)
    synced_at_block = models.PositiveBigIntegerField(null=True)
    balance_requested_at = models.DateTimeField(null=True)
    rehearsal_reminded_at = models.DateTimeField(
        null=True, help_text="when its owners last heard that nobody rehearses recovery"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    # What the asking person may do with it, where services.roles.with_role read it.
    role: str = ""
    # Whether anything waits for approvals, where services.queue.with_waiting read it.
    has_waiting: bool = False
    # Whether the asking person guards any account, where views.access read it.
    guards_somebody: bool = False
    # Whether they got it back and are to look through it, where
    # services.recovered_accounts.with_recovered read it.
    is_recovered: bool = False

    objects = SafeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "address"], name="onchain_safe_one_per_address"
            )
        ]
        indexes = [
            models.Index(fields=["status", "deployment_requested_at"]),
            # The follower looks for live accounts to be read at every block, of which
            # there are few: an index of all would not be used to find them.
            models.Index(
                fields=["chain", "status"],
                condition=models.Q(owners_synced_block__isnull=True),
                name="onchain_safe_unread_owners",
            ),
            # And for accounts whose balance is not known, of which there are few.
            models.Index(
                fields=["chain"],
                condition=models.Q(synced_at_block__isnull=True),
                name="onchain_safe_unknown_balance",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.address_text}"

    @property
    def address_text(self) -> str:
        """The checksummed address."""
        return checksum_address(self.address)

    @property
    def is_live(self) -> bool:
        """True once the chain has the account's code."""
        return self.status == self.Status.DEPLOYED

    @property
    def is_gone(self) -> bool:
        """True while the chain, which had this account of elsewhere, has it no more."""
        return self.layout == self.Layout.IMPORTED and not self.is_live

    @property
    def is_formed(self) -> bool:
        """True once its first owners have confirmed each other."""
        return self.status != self.Status.FORMING

    @property
    def deploys_itself(self) -> bool:
        """True while its own first operation is what will put it on chain."""
        return self.layout == self.Layout.SHARED and not self.is_live
