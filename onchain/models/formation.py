"""An account with several first owners, before its address is final."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Credential
from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.models.chain import Chain
from onchain.models.owner import Owner
from onchain.models.safe import Safe
from onchain.models.transitions import TransitionQuerySet


class Formation(models.Model):
    """A list of owners and a threshold that everybody on it has to confirm.

    The address follows from the whole list, so there is none before every seat has a
    key. Then ``safe`` is an account in the state FORMING, and each owner confirms it
    with a proof for exactly this address; a change of the list is another address, and
    every confirmation is void. States: OPEN -> CREATED, once all have confirmed, or
    CANCELLED.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Forming"
        CREATED = "created", "Created"
        CANCELLED = "cancelled", "Given up"

    MOVES = {
        Status.OPEN: {Status.CREATED, Status.CANCELLED},
        Status.CREATED: set(),
        Status.CANCELLED: set(),
    }

    chain = models.ForeignKey(
        Chain, on_delete=models.PROTECT, related_name="formations"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="formations"
    )
    safe = models.OneToOneField(
        Safe, on_delete=models.PROTECT, null=True, related_name="formation"
    )
    creation_key = models.UUIDField(unique=True, help_text="of the form")
    name = models.CharField(max_length=60)
    threshold = models.PositiveSmallIntegerField()
    salt_nonce = Uint256Field(default=0)
    network_hash = Bytes32Field(
        null=True, help_text="keyed hash of where it was opened from, for two days"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TransitionQuerySet["Formation"].as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"forming account {self.pk}"


class Seat(models.Model):
    """One place on a forming account's list of owners.

    Filled by a passkey of a person's or a wallet's address; empty while the person who
    was invited to it has not accepted.
    """

    formation = models.ForeignKey(
        Formation, on_delete=models.CASCADE, related_name="seats"
    )
    position = models.PositiveSmallIntegerField(help_text="from 0")
    kind = models.CharField(max_length=8, choices=Owner.Kind)
    credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, null=True, related_name="seats"
    )
    address = AddressField(null=True, help_text="a wallet's or a contract's")
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="seats",
        help_text="the person who confirms; empty: nobody holds this wallet yet",
    )
    is_proof_waived = models.BooleanField(
        default=False, help_text="somebody took it on them that this address can sign"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["formation", "position"], name="onchain_seat_one_per_place"
            ),
            models.UniqueConstraint(
                fields=["formation", "credential"],
                condition=Q(credential__isnull=False),
                name="onchain_seat_one_per_passkey",
            ),
            models.UniqueConstraint(
                fields=["formation", "address"],
                condition=Q(address__isnull=False),
                name="onchain_seat_one_per_address",
            ),
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"seat {self.position} of {self.formation}"
