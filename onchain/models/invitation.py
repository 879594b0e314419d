"""A link that asks somebody to join an account."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Credential
from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.models.formation import Seat
from onchain.models.key_proof import KeyProof
from onchain.models.membership import Role
from onchain.models.safe import Safe
from onchain.models.transitions import TransitionQuerySet
from onchain.models.wallet_proof import WalletProof

# A guardian is nobody of the account: no membership ever says so.
ROLES = [*Role.choices, (KeyProof.Role.GUARDIAN.value, KeyProof.Role.GUARDIAN.label)]


class Invitation(models.Model):
    """One link for one person, and what they accepted with (security.md R62, R63).

    Only the token's hash is stored. Accepting freezes the key in this row: whatever is
    made of it, an operation or an account, is built from here only. Accepting again is
    another key, and voids the word of who confirmed the first one. States: OPEN ->
    ACCEPTED -> CONFIRMED (an owner compared the words and went on), or REVOKED; an OPEN
    one is worthless after ``expires_at``.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Waiting to be accepted"
        ACCEPTED = "accepted", "Accepted"
        CONFIRMED = "confirmed", "Confirmed"
        REVOKED = "revoked", "Revoked"

    MOVES = {
        Status.OPEN: {Status.ACCEPTED, Status.REVOKED},
        Status.ACCEPTED: {Status.ACCEPTED, Status.CONFIRMED, Status.REVOKED},
        Status.CONFIRMED: {Status.ACCEPTED, Status.REVOKED},
        Status.REVOKED: set(),
    }

    token_hash = Bytes32Field(unique=True, help_text="SHA-256 of the link's token")
    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, null=True, related_name="invitations"
    )
    seat = models.OneToOneField(
        Seat, on_delete=models.CASCADE, null=True, related_name="invitation"
    )
    role = models.CharField(max_length=8, choices=ROLES)
    name = models.CharField(max_length=60, help_text="whom it is for, as invited")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="invitations"
    )
    expires_at = models.DateTimeField()

    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="accepted_invitations",
    )
    credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, null=True, related_name="invitations"
    )
    public_key_x = Uint256Field(null=True)
    public_key_y = Uint256Field(null=True)
    address = AddressField(
        null=True, help_text="the passkey's signer proxy, or the wallet's own"
    )
    key_proof = models.ForeignKey(
        KeyProof, on_delete=models.PROTECT, null=True, related_name="invitations"
    )
    wallet_proof = models.ForeignKey(
        WalletProof, on_delete=models.PROTECT, null=True, related_name="invitations"
    )
    accepted_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="confirmed_invitations",
    )
    confirmed_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TransitionQuerySet["Invitation"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(safe__isnull=False) ^ Q(seat__isnull=False),
                name="onchain_invitation_to_one_thing",
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"invitation {self.pk} as {self.role}"

    @property
    def is_for_guardian(self) -> bool:
        """Whether it asks somebody to guard the account, and to be nothing else."""
        return self.role == KeyProof.Role.GUARDIAN
