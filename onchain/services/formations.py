"""Accounts with several first owners: making and changing the list of them.

What stands at the address of the list is ``forming_accounts``' business.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Credential, User
from onchain.errors import FormationRefused, IdempotencyConflict
from onchain.models import (
    Chain,
    Formation,
    Owner,
    Seat,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.owners import require_new_owner
from onchain.protocol.types import Address
from onchain.services import forming_accounts, invitations, safes
from onchain.services.network_quotas import network_hash

logger = logging.getLogger(__name__)

Status = Formation.Status
MOST_OWNERS = 10
MOST_OPEN = 10  # of one person at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asks for who makes a shared account."""

    name: str
    threshold: int
    passkeys: Sequence[Credential]
    people: Sequence[str]  # names of who is invited
    wallets: Sequence[Address]  # that nobody here holds: their maker vouches
    key: uuid.UUID  # of the form, so that one form makes one account
    network: str | None = None
    own_wallets: Sequence[Address] = ()  # that the maker holds, and confirms with

    @property
    def owner_count(self) -> int:
        """How many owners the list has."""
        return len(self.passkeys) + len(self.people) + len(self.addresses)

    @property
    def addresses(self) -> list[Address]:
        """Every wallet on the list."""
        return [*self.own_wallets, *self.wallets]


def visible_to(user: User) -> QuerySet[Formation]:
    """Return the forming accounts that a person makes or has a seat at."""
    seated = Q(seats__holder=user) | Q(seats__credential__user=user)
    rows = Formation.objects.filter(seated | Q(created_by=user))
    return rows.select_related("chain", "safe", "created_by").distinct()


def open_for(user: User) -> QuerySet[Formation]:
    """Return what a person has a part in and is forming still, newest first."""
    return visible_to(user).filter(status=Status.OPEN).order_by("-pk")


def begin(*, user: User, chain: Chain, wanted: Wanted) -> Formation:
    """Write a list of first owners down; the same key makes one only.

    A wallet of the maker's confirms by itself; for any other address they vouch.

    Raises:
        FormationRefused: with words; nothing was made.
        IdempotencyConflict: the form was used by somebody else.
    """
    _refuse_impossible(wanted)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        before = Formation.objects.filter(creation_key=wanted.key).first()
        if before is not None:
            if before.created_by_id != user.pk or before.name != wanted.name:
                raise IdempotencyConflict("This form was already used.")
            return before
        own = Formation.objects.filter(created_by=user, status=Status.OPEN)
        if own.count() >= MOST_OPEN or user.safes.count() >= safes.MAX_ACCOUNTS:
            raise FormationRefused("You make many accounts at once. Give one up first.")
        formation = Formation.objects.create(
            chain=chain,
            created_by=user,
            creation_key=wanted.key,
            name=wanted.name,
            threshold=wanted.threshold,
            network_hash=(
                None if wanted.network is None else network_hash(wanted.network)
            ),
        )
        _seat_everybody(formation, user, wanted)
        forming_accounts.settle(formation=formation)
    logger.info("formation %s begun", formation.pk)
    return formation


def _refuse_impossible(wanted: Wanted) -> None:
    if wanted.owner_count < 2:
        raise FormationRefused("A shared account has two owners or more.")
    if wanted.owner_count > MOST_OWNERS:
        raise FormationRefused(f"Begin with {MOST_OWNERS} owners at most.")
    _require_threshold(wanted.threshold, wanted.owner_count)
    if len({*wanted.addresses}) != len(wanted.addresses):
        raise FormationRefused("A wallet address stands there twice.")
    for wallet in wanted.addresses:
        require_possible(wallet)


def require_possible(wallet: Address) -> None:
    """Refuse an address that no Safe takes as an owner.

    Raises:
        FormationRefused: with words.
    """
    try:
        require_new_owner(wallet, account=Address(bytes(19) + b"\1"))
    except EncodingError as error:
        raise FormationRefused("One address cannot be an owner.") from error


def _require_threshold(threshold: int, owners: int) -> None:
    if not 1 <= threshold <= owners:
        raise FormationRefused(
            f"Between 1 and {owners} owners can be asked to approve."
        )


def _seat_everybody(formation: Formation, user: User, wanted: Wanted) -> None:
    place = count()
    for credential in wanted.passkeys:
        Seat.objects.create(
            formation=formation,
            position=next(place),
            kind=Owner.Kind.PASSKEY,
            credential=credential,
            holder=user,
        )
    for name in wanted.people:
        seat = Seat.objects.create(
            formation=formation, position=next(place), kind=Owner.Kind.PASSKEY
        )
        # Its first link is never seen: one is made when its maker asks for it.
        invitations.issue_for_seat(seat=seat, user=user, name=name)
    own = {*wanted.own_wallets}
    for wallet in wanted.addresses:
        Seat.objects.create(
            formation=formation,
            position=next(place),
            kind=Owner.Kind.WALLET,
            address=wallet,
            holder=user if wallet in own else None,
            is_proof_waived=wallet not in own,
        )


# --- Changing the list ------------------------------------------------------------


def change_threshold(*, formation: Formation, user: User, threshold: int) -> None:
    """Ask for another number of approvals; every confirmation is void by that.

    Raises:
        FormationRefused: with words; nothing was changed.
    """
    with transaction.atomic():
        formation = locked(formation)
        _require_maker(formation, user)
        _require_threshold(threshold, formation.seats.count())
        if formation.threshold == threshold:
            return
        Formation.objects.filter(pk=formation.pk).update(threshold=threshold)
        formation.threshold = threshold
        forming_accounts.settle(formation=formation)


def remove_seat(*, formation: Formation, user: User, seat_pk: int) -> None:
    """Take one owner off the list; every confirmation is void by that.

    Raises:
        FormationRefused: with words; nothing was changed.
    """
    with transaction.atomic():
        formation = locked(formation)
        _require_maker(formation, user)
        left = formation.seats.count() - 1
        if left < 2:
            raise FormationRefused("A shared account has two owners or more.")
        if formation.threshold > left:
            raise FormationRefused("Ask for fewer approvals first.")
        formation.seats.filter(pk=seat_pk).delete()
        forming_accounts.settle(formation=formation)


def cancel(*, formation: Formation, user: User) -> None:
    """Give a forming account up; nothing is left at its address. Safe to repeat.

    Raises:
        FormationRefused: somebody else makes it, or it exists by now.
    """
    with transaction.atomic():
        if formation.status == Status.CANCELLED:
            return
        formation = locked(formation)
        _require_maker(formation, user)
        forming_accounts.discard(formation=formation)
        Formation.objects.transition(
            formation.pk, source=Status.OPEN, target=Status.CANCELLED
        )


def locked(formation: Formation) -> Formation:
    """Return the row under its lock, so that changes come one after another.

    Raises:
        FormationRefused: it is made, or was given up.
    """
    row = Formation.objects.select_for_update().select_related("chain", "safe")
    found = row.get(pk=formation.pk)
    if found.status != Status.OPEN:
        raise FormationRefused("This account is made, or was given up.")
    return found


def _require_maker(formation: Formation, user: User) -> None:
    if formation.created_by_id != user.pk:
        raise FormationRefused("Only who makes this account changes its list.")
