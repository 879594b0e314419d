"""Who may sign for an account."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models

from accounts.models import Credential, User
from onchain.fields import AddressField
from onchain.models.safe import Safe
from onchain.protocol.types import PublicKey, checksum_address


def public_key_of(credential: Credential) -> PublicKey:
    """Return a passkey's P-256 point."""
    return PublicKey(
        x=int.from_bytes(credential.public_key_x, "big"),
        y=int.from_bytes(credential.public_key_y, "big"),
    )


class OwnerQuerySet(models.QuerySet["Owner"]):
    """Reads of owners, named for what they mean."""

    def current(self) -> Self:
        """The owners that the chain has, as far as it was read."""
        return self.filter(is_current=True)


class Owner(models.Model):
    """One owner of a Safe: a passkey's signer proxy, a wallet or a contract.

    A cache of ``getOwners()``, written at creation and by the follower. A row whose
    owner was removed on chain stays, not current, because signatures refer to it.
    """

    class Kind(models.TextChoices):
        PASSKEY = "passkey", "Passkey"
        WALLET = "wallet", "Wallet"
        CONTRACT = "contract", "Contract"
        UNKNOWN = "unknown", "Unknown"

    safe = models.ForeignKey(Safe, on_delete=models.PROTECT, related_name="owners")
    credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, null=True, related_name="owners"
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="held_owners",
        help_text="who proved to hold this wallet; a passkey's person is its own",
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PASSKEY)
    address = AddressField(help_text="a passkey's address is its signer proxy's")
    position = models.PositiveSmallIntegerField(
        help_text="place in the account's list of owners, from 0"
    )
    is_current = models.BooleanField(
        default=True, help_text="no: removed on chain since"
    )
    proven_at = models.DateTimeField(
        null=True, help_text="when the key showed server and chain that it signs"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["safe", "address"], name="onchain_owner_one_per_address"
            )
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.address_text}"

    @property
    def address_text(self) -> str:
        """The checksummed address."""
        return checksum_address(self.address)

    @property
    def person(self) -> User | None:
        """Who is known here to hold its key."""
        return self.holder if self.credential is None else self.credential.user

    @property
    def is_linked(self) -> bool:
        """Whether a person proved to hold it."""
        return self.credential_id is not None or self.holder_id is not None

    @property
    def can_sign(self) -> bool:
        """Whether it is known that the owner can sign.

        A passkey signs as long as it signs in here; a wallet or a contract that has
        shown that it signs does so anywhere. Of others it is not known.
        """
        if self.credential is None:
            return self.proven_at is not None
        return self.credential.removed_at is None and self.credential.user.is_active

    @property
    def public_key(self) -> PublicKey:
        """The passkey's P-256 point.

        Raises:
            ValueError: the owner is not a passkey.
        """
        if self.credential is None:
            raise ValueError(f"{self} has no passkey")
        return public_key_of(self.credential)
