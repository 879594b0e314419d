"""Recovery with guardians as the chain has it: who guards, and what they began."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Credential, User
from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.models.owner import Owner
from onchain.models.safe import Safe
from onchain.models.transitions import TransitionQuerySet
from onchain.protocol.recovery import delay_of
from onchain.protocol.types import Address, checksum_address, to_address


class RecoverySetup(models.Model):
    """What one recovery module says about an account; each delay has its own module.

    A cache, written by the follower where the module's or the account's events point.
    Guardians stay in the module when an account disables it: they count again once it
    is enabled, so the row stays too.
    """

    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="recovery_setups"
    )
    module = AddressField(help_text="which one it is says how long it waits")
    is_enabled = models.BooleanField(
        default=False, help_text="the account lets the module replace its owners"
    )
    threshold = models.PositiveIntegerField(
        default=0, help_text="how many guardians must approve"
    )
    nonce = Uint256Field(default=0, help_text="what guardians sign now")
    read_block = models.PositiveBigIntegerField(
        null=True, help_text="where it was read; empty: it is to be read"
    )
    active_since = models.DateTimeField(
        null=True, help_text="when it was last seen to become able to recover"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["safe", "module"], name="onchain_recoverysetup_one_per_module"
            )
        ]
        indexes = [
            # The follower looks for these at every block; there are few.
            models.Index(
                fields=["safe"],
                condition=Q(read_block__isnull=True),
                name="onchain_recovery_unread",
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"recovery of account {self.safe_id} by {self.module_text}"

    @property
    def module_text(self) -> str:
        """The checksummed address of the module."""
        return checksum_address(self.module)

    @property
    def delay_seconds(self) -> int | None:
        """How long owners can cancel; None for a module that is not known."""
        return delay_of(Address(self.module))

    @property
    def is_active(self) -> bool:
        """Whether guardians can bring the account back."""
        return self.is_enabled and self.threshold > 0

    @property
    def pending(self) -> RecoveryRequest | None:
        """The request that waits for its end, if there is one."""
        return self.requests.filter(status=RecoveryRequest.Status.PENDING).first()


class GuardianQuerySet(models.QuerySet["Guardian"]):
    """Reads of guardians, named for what they mean."""

    def current(self) -> Self:
        """The guardians that the module has, as far as it was read."""
        return self.filter(is_current=True)

    def of(self, user: User) -> Self:
        """The current ones whose key is this person's."""
        return self.current().filter(Q(credential__user=user) | Q(holder=user))


class Guardian(models.Model):
    """One guardian: a passkey's signer proxy, a wallet or a contract.

    A person is linked only where they proved the key for exactly this role and account
    (security.md R6). A row whose guardian was revoked stays, not current.
    """

    Kind = Owner.Kind

    setup = models.ForeignKey(
        RecoverySetup, on_delete=models.PROTECT, related_name="guardians"
    )
    address = AddressField(help_text="a passkey's address is its signer proxy's")
    position = models.PositiveSmallIntegerField(
        help_text="place in the module's list of guardians, from 0"
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.UNKNOWN)
    credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, null=True, related_name="guardians"
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="held_guardians",
        help_text="who proved to hold this wallet; a passkey's person is its own",
    )
    proven_at = models.DateTimeField(
        null=True, help_text="when the key showed server and chain that it signs"
    )
    is_current = models.BooleanField(
        default=True, help_text="no: revoked on chain since"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GuardianQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["setup", "address"], name="onchain_guardian_one_per_address"
            )
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"guardian {self.address_text}"

    @property
    def address_text(self) -> str:
        """The checksummed address."""
        return checksum_address(self.address)

    @property
    def person(self) -> User | None:
        """Who is known here to hold its key."""
        return self.holder if self.credential is None else self.credential.user


class RecoveryRequest(models.Model):
    """A recovery that guardians started on chain, whoever sent it and wherever.

    States: PENDING (the delay runs, or is over and nobody finalised it) -> FINALIZED,
    CANCELED (by the owners) or REPLACED (by one with more approvals). A reorg deletes
    what its blocks began and takes what they ended back to PENDING. One that is read
    after a later one counts as REPLACED until its own end is read.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting"
        FINALIZED = "finalized", "Finished"
        CANCELED = "canceled", "Cancelled"
        REPLACED = "replaced", "Replaced"

    MOVES = {
        Status.PENDING: {Status.FINALIZED, Status.CANCELED, Status.REPLACED},
        Status.FINALIZED: {Status.PENDING},
        Status.CANCELED: {Status.PENDING},
        Status.REPLACED: {Status.PENDING, Status.FINALIZED, Status.CANCELED},
    }

    setup = models.ForeignKey(
        RecoverySetup, on_delete=models.PROTECT, related_name="requests"
    )
    nonce = Uint256Field(help_text="the one that guardians signed")
    new_owners_hash = Bytes32Field(help_text="all that the event says of them")
    new_owners: Any = models.JSONField(
        null=True, help_text="checksummed addresses; empty: not read yet"
    )
    new_threshold = models.PositiveIntegerField()
    approvals = models.PositiveIntegerField()
    execute_after = models.PositiveBigIntegerField(
        help_text="Unix seconds of the chain; from then on it can be finalised"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    started_block = models.PositiveBigIntegerField()
    ended_block = models.PositiveBigIntegerField(null=True)
    seen_at = models.DateTimeField(auto_now_add=True)
    told_status = models.CharField(
        max_length=10, blank=True, help_text="in which state people last heard of it"
    )
    told_at = models.DateTimeField(null=True, help_text="when they last heard of it")
    told_people: Any = models.JSONField(
        default=list, help_text="keys of those who heard that it began"
    )

    objects = TransitionQuerySet["RecoveryRequest"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["setup", "nonce"], name="onchain_recoveryrequest_one_per_nonce"
            ),
            models.UniqueConstraint(
                fields=["setup"],
                condition=Q(status="pending"),
                name="onchain_recoveryrequest_one_pending",
            ),
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"recovery request {self.pk}"

    @property
    def new_owner_list(self) -> list[Address]:
        """Who is to own the account; empty: not read yet."""
        return [to_address(text) for text in self.new_owners or []]
