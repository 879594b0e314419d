"""A passkey's proof that it can sign on chain, before anyone relies on it."""

from __future__ import annotations

from django.db import models

from accounts.models import Credential
from onchain.fields import AddressField, Bytes32Field
from onchain.models.owner import public_key_of
from onchain.models.safe import Safe
from onchain.models.transitions import TransitionQuerySet
from onchain.protocol.types import PublicKey, checksum_address


class KeyProof(models.Model):
    """One request to sign a KeyProof (security.md R6): a passkey, an account, a role.

    A proof for one role or account never counts for another, and none is needed twice:
    PROVEN rows stay. States: OPEN (waits for the touch) -> SIGNED (waits for the
    chain's check) -> PROVEN or REFUSED. An OPEN proof is worthless after
    ``expires_at``.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Waiting for the passkey"
        SIGNED = "signed", "Being checked"
        PROVEN = "proven", "Proven"
        REFUSED = "refused", "Refused"

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        GUARDIAN = "guardian", "Guardian"

    MOVES = {
        Status.OPEN: {Status.SIGNED},
        Status.SIGNED: {Status.PROVEN, Status.REFUSED},
        Status.PROVEN: set(),
        Status.REFUSED: set(),
    }

    credential = models.ForeignKey(
        Credential, on_delete=models.CASCADE, related_name="proofs"
    )
    safe = models.ForeignKey(Safe, on_delete=models.PROTECT, related_name="proofs")
    role = models.CharField(max_length=10, choices=Role, default=Role.OWNER)
    signer = AddressField(help_text="the passkey's signer proxy")
    nonce = Bytes32Field(unique=True)
    challenge = Bytes32Field(help_text="EIP-712 hash that the passkey signs")
    signature = models.BinaryField(
        null=True, help_text="ABI-encoded WebAuthn signature"
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    signed_at = models.DateTimeField(null=True)

    objects = TransitionQuerySet["KeyProof"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["safe", "credential", "role", "status"])]

    def __str__(self) -> str:
        return f"proof {self.pk} of {self.signer_text} as {self.role}"

    @property
    def signer_text(self) -> str:
        """The checksummed address of the signer proxy."""
        return checksum_address(self.signer)

    @property
    def public_key(self) -> PublicKey:
        """The passkey's P-256 point."""
        return public_key_of(self.credential)
