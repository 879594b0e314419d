"""A passkey's proof that it can sign on chain, before anyone pays it."""

from __future__ import annotations

from django.db import models

from onchain.fields import Bytes32Field
from onchain.models.owner import Owner
from onchain.models.transitions import TransitionQuerySet


class KeyProof(models.Model):
    """One request to sign a KeyProof (security.md R6), for one owner and role.

    States: OPEN (waits for the touch) -> SIGNED (waits for the chain's check) ->
    PROVEN or REFUSED. An OPEN proof is worthless after ``expires_at``.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Waiting for the passkey"
        SIGNED = "signed", "Being checked"
        PROVEN = "proven", "Proven"
        REFUSED = "refused", "Refused"

    MOVES = {
        Status.OPEN: {Status.SIGNED},
        Status.SIGNED: {Status.PROVEN, Status.REFUSED},
        Status.PROVEN: set(),
        Status.REFUSED: set(),
    }

    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="proofs")
    role = models.CharField(max_length=10, default="owner")
    nonce = Bytes32Field(unique=True)
    challenge = Bytes32Field(help_text="EIP-712 hash that the passkey signs")
    signature = models.BinaryField(
        null=True, help_text="ABI-encoded WebAuthn signature"
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TransitionQuerySet["KeyProof"].as_manager()

    def __str__(self) -> str:
        return f"proof {self.pk} of {self.owner}"
