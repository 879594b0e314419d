"""A wallet's proof that its holder can sign, before anyone relies on it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from onchain.fields import AddressField, Bytes32Field
from onchain.models.key_proof import KeyProof
from onchain.models.safe import Safe
from onchain.models.transitions import TransitionQuerySet
from onchain.protocol.types import checksum_address


class WalletProof(models.Model):
    """One request to sign a text (EIP-191): a wallet, an account, a role, a person.

    A proof for one role, account or person never counts for another. States: OPEN
    (waits for the wallet) -> SIGNED (a contract's answer waits for the chain) -> PROVEN
    or REFUSED; a plain wallet's answer is recovered at once. An OPEN proof is worthless
    after ``expires_at``.
    """

    Status = KeyProof.Status
    Role = KeyProof.Role
    MOVES = {
        Status.OPEN: {Status.SIGNED, Status.PROVEN},
        Status.SIGNED: {Status.PROVEN, Status.REFUSED},
        Status.PROVEN: set(),
        Status.REFUSED: set(),
    }

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="wallet_proofs"
    )
    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="wallet_proofs"
    )
    role = models.CharField(max_length=10, choices=Role, default=Role.OWNER)
    address = AddressField(help_text="the wallet's or the contract's")
    nonce = Bytes32Field(unique=True)
    text = models.TextField(help_text="exactly what the wallet shows and signs")
    signature = models.BinaryField(null=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    signed_at = models.DateTimeField(null=True)

    objects = TransitionQuerySet["WalletProof"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["safe", "address", "role", "status"])]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"proof {self.pk} of {self.address_text} as {self.role}"

    @property
    def address_text(self) -> str:
        """The checksummed address."""
        return checksum_address(self.address)
