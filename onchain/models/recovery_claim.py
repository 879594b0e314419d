"""Somebody who asks guardians for an account, and what came of it."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Credential
from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.models.recovery_lookup import RecoveryLookup
from onchain.models.safe import Safe
from onchain.models.transitions import TransitionQuerySet
from onchain.protocol.recovery import Recovery, delay_of
from onchain.protocol.types import Address, Bytes32, checksum_address, to_address


class RecoveryClaim(models.Model):
    """One person's wish to own accounts again, with one new key.

    It gives nothing: guardians do, one account after the other. Its link is what the
    claimant hands to them; of its token only the hash is stored. No mail comes of it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="recovery_claims",
        help_text="the claimant",
    )
    credential = models.ForeignKey(
        Credential,
        on_delete=models.PROTECT,
        null=True,
        related_name="recovery_claims",
        help_text="the new passkey; empty: a wallet",
    )
    wallet = AddressField(null=True, help_text="the new wallet; empty: a passkey")
    lookup = models.ForeignKey(
        RecoveryLookup,
        on_delete=models.PROTECT,
        null=True,
        related_name="claims",
        help_text="the account that it began with",
    )
    token_hash = Bytes32Field(unique=True, help_text="SHA-256 of the link's token")
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(credential__isnull=False) ^ Q(wallet__isnull=False),
                name="onchain_recoveryclaim_one_new_key",
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"recovery claim {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether guardians can still be asked."""
        return self.withdrawn_at is None and self.expires_at > timezone.now()


class AccountClaimQuerySet(TransitionQuerySet["AccountClaim"]):
    """Reads of claims, named for what they mean."""

    def under_way(self) -> Self:
        """Those that a worker looks after."""
        return self.exclude(
            status__in=[AccountClaim.Status.DONE, AccountClaim.Status.STOPPED]
        )


class AccountClaim(models.Model):
    """One account of a claim: who is to own it, and how far that is.

    What guardians sign is fixed once the chain was asked: module, account, new owners,
    new threshold and the module's nonce. States: CHECKING (a worker asks the chain
    whether this could ever finish) -> COLLECTING (guardians approve) -> READY (enough
    did) -> RELAYING (the relayer's transaction carries their signatures) -> WAITING
    (the chain's own request is this one, the delay runs) -> FINALIZING -> DONE, or
    STOPPED with a code. Where the chain says otherwise a state goes back: a transaction
    failed, a guardian is none any more, a reorg took a block away.
    """

    class Status(models.TextChoices):
        CHECKING = "checking", "Being checked"
        COLLECTING = "collecting", "Waiting for guardians"
        READY = "ready", "Enough guardians"
        RELAYING = "relaying", "Being sent"
        WAITING = "waiting", "The delay runs"
        FINALIZING = "finalizing", "Being finished"
        DONE = "done", "Recovered"
        STOPPED = "stopped", "Stopped"

    MOVES = {
        Status.CHECKING: {Status.COLLECTING, Status.STOPPED},
        Status.COLLECTING: {Status.READY, Status.WAITING, Status.DONE, Status.STOPPED},
        Status.READY: {
            Status.COLLECTING,
            Status.RELAYING,
            Status.WAITING,
            Status.DONE,
            Status.STOPPED,
        },
        Status.RELAYING: {
            Status.COLLECTING,
            Status.READY,
            Status.WAITING,
            Status.DONE,
            Status.STOPPED,
        },
        Status.WAITING: {
            Status.RELAYING,
            Status.FINALIZING,
            Status.DONE,
            Status.STOPPED,
        },
        Status.FINALIZING: {
            Status.RELAYING,
            Status.WAITING,
            Status.DONE,
            Status.STOPPED,
        },
        Status.DONE: {Status.WAITING},
        Status.STOPPED: set(),
    }

    claim = models.ForeignKey(
        RecoveryClaim, on_delete=models.PROTECT, related_name="accounts"
    )
    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="recovery_claims"
    )
    module = AddressField(help_text="which one it is says how long it waits")
    new_signer = AddressField(help_text="the claimant's, among the new owners")
    new_owners: Any = models.JSONField(help_text="checksummed addresses, in order")
    new_threshold = models.PositiveIntegerField()
    old_owners: Any = models.JSONField(
        default=list, help_text="the account's when it was checked"
    )
    old_threshold = models.PositiveIntegerField(default=0)
    guardians: Any = models.JSONField(
        default=list, help_text="checksummed addresses, in the module's order"
    )
    guardian_threshold = models.PositiveIntegerField(default=0)
    needed = models.PositiveIntegerField(
        default=0, help_text="approvals: the threshold, or more than a request has"
    )
    approved: Any = models.JSONField(
        default=list, help_text="guardians whose approval the chain has already"
    )
    nonce = Uint256Field(null=True, help_text="the module's, which guardians sign")
    recovery_hash = Bytes32Field(null=True, help_text="EIP-712 hash that they sign")
    execute_after = models.PositiveBigIntegerField(
        null=True, help_text="Unix seconds of the chain's own request"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.CHECKING)
    failure_code = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="transactions in vain since it last moved on"
    )
    look_at = models.DateTimeField(
        default=timezone.now, help_text="when a worker looks at it next"
    )
    done_at = models.DateTimeField(null=True)
    done_block = models.PositiveBigIntegerField(
        null=True, help_text="the newest block when it was done"
    )
    is_settled = models.BooleanField(
        default=False, help_text="done, and so deep that no reorg takes it back"
    )
    looked_through_at = models.DateTimeField(
        null=True,
        help_text="when its claimant said that they looked at what stayed",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountClaimQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["claim", "safe"],
                condition=~Q(status="stopped"),
                name="onchain_accountclaim_one_per_account",
            )
        ]
        indexes = [models.Index(fields=["status", "look_at"])]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"claim {self.pk} of account {self.safe_id}"

    @property
    def module_text(self) -> str:
        """The checksummed address of the module."""
        return checksum_address(self.module)

    @property
    def delay_seconds(self) -> int | None:
        """How long owners can cancel; None for a module that is not known."""
        return delay_of(Address(self.module))

    @property
    def new_owner_list(self) -> list[Address]:
        """Who is to own the account."""
        return [to_address(text) for text in self.new_owners]

    @property
    def old_owner_list(self) -> list[Address]:
        """Who owned it when it was checked."""
        return [to_address(text) for text in self.old_owners]

    @property
    def guardian_list(self) -> list[Address]:
        """Who may approve."""
        return [to_address(text) for text in self.guardians]

    @property
    def recovery(self) -> Recovery:
        """What guardians sign, without the nonce."""
        return Recovery(
            module=Address(self.module),
            account=Address(self.safe.address),
            new_owners=self.new_owner_list,
            new_threshold=self.new_threshold,
        )

    @property
    def is_asking(self) -> bool:
        """Whether guardians can approve it."""
        return self.status in {self.Status.COLLECTING, self.Status.READY}

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status in {self.Status.DONE, self.Status.STOPPED}

    @property
    def hash_to_sign(self) -> Bytes32:
        """The hash that guardians sign.

        Raises:
            ValueError: the chain has not been asked yet.
        """
        if self.recovery_hash is None:
            raise ValueError(f"{self} has not been checked")
        return Bytes32(self.recovery_hash)
