"""Taking a place on the list of a forming account: a passkey's, or a wallet's.

Neither proves itself here, since the account has no address yet: each confirms the list
afterwards, by a proof that names exactly the address that follows from it.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Credential, User
from onchain.errors import FormationRefused
from onchain.models import Formation, Invitation, Owner
from onchain.models.owner import public_key_of
from onchain.protocol.types import Address
from onchain.services import forming_accounts
from onchain.services.formations import locked, require_possible

logger = logging.getLogger(__name__)


def fill_seat(
    *, invitation: Invitation, user: User, credential: Credential
) -> Formation:
    """Give the invited person's passkey its seat; with another key it is taken anew.

    Raises:
        FormationRefused: the list is closed, or the passkey has a seat already.
    """
    if credential.user_id != user.pk:
        raise FormationRefused
    public_key = public_key_of(credential)
    return _fill(
        invitation=invitation,
        user=user,
        seated={
            "kind": Owner.Kind.PASSKEY,
            "credential": credential,
            "address": None,
        },
        frozen={
            "credential": credential,
            "public_key_x": public_key.x,
            "public_key_y": public_key.y,
            "address": None,
        },
    )


def fill_seat_with_wallet(
    *, invitation: Invitation, user: User, wallet: Address
) -> Formation:
    """Give the invited person's wallet its seat; it proves itself with the address.

    Raises:
        FormationRefused: the list is closed, or the wallet cannot be on it.
    """
    require_possible(wallet)
    return _fill(
        invitation=invitation,
        user=user,
        seated={"kind": Owner.Kind.WALLET, "credential": None, "address": wallet},
        frozen={
            "credential": None,
            "public_key_x": None,
            "public_key_y": None,
            "address": wallet,
        },
    )


def _fill(
    *,
    invitation: Invitation,
    user: User,
    seated: dict[str, Any],
    frozen: dict[str, Any],
) -> Formation:
    seat = invitation.seat
    if seat is None or invitation.accepted_by_id != user.pk:
        raise FormationRefused
    with transaction.atomic():
        formation = locked(seat.formation)
        key = "address" if seated["credential"] is None else "credential"
        taken = formation.seats.filter(**{key: seated[key]}).exclude(pk=seat.pk)
        if taken.exists():
            raise FormationRefused("This key is on the list already.")
        _accept(invitation, frozen)
        formation.seats.filter(pk=seat.pk).update(**seated, holder=user)
        forming_accounts.settle(formation=formation)
    logger.info("seat %s of formation %s filled", seat.pk, formation.pk)
    return formation


def _accept(invitation: Invitation, frozen: dict[str, Any]) -> None:
    for source in (Invitation.Status.OPEN, Invitation.Status.ACCEPTED):
        if Invitation.objects.transition(
            invitation.pk,
            source=source,
            target=Invitation.Status.ACCEPTED,
            accepted_at=timezone.now(),
            **frozen,
        ):
            return
    raise FormationRefused("This invitation was taken back.")
