"""Who may sign for an account."""

from __future__ import annotations

from django.db import models

from accounts.models import Credential
from onchain.fields import AddressField
from onchain.models.safe import Safe
from onchain.protocol.types import PublicKey, checksum_address


class Owner(models.Model):
    """One owner of a Safe: a passkey's signer proxy, a wallet or a contract."""

    class Kind(models.TextChoices):
        PASSKEY = "passkey", "Passkey"
        WALLET = "wallet", "Wallet"
        CONTRACT = "contract", "Contract"

    safe = models.ForeignKey(Safe, on_delete=models.PROTECT, related_name="owners")
    credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, null=True, related_name="owners"
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PASSKEY)
    address = AddressField(help_text="a passkey's address is its signer proxy's")
    position = models.PositiveSmallIntegerField(help_text="in the setup, from 0")
    proven_at = models.DateTimeField(
        null=True, help_text="when the key showed server and chain that it signs"
    )
    created_at = models.DateTimeField(auto_now_add=True)

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
    def public_key(self) -> PublicKey:
        """The passkey's P-256 point.

        Raises:
            ValueError: the owner is not a passkey.
        """
        if self.credential is None:
            raise ValueError(f"{self} has no passkey")
        return PublicKey(
            x=int.from_bytes(self.credential.public_key_x, "big"),
            y=int.from_bytes(self.credential.public_key_y, "big"),
        )
