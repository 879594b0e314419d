"""How far a forming account is, as one of its owners sees it."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from onchain.models import (
    Formation,
    Invitation,
    KeyProof,
    Owner,
    Seat,
    WalletProof,
)
from onchain.protocol.spoken_words import words_of_account
from onchain.protocol.types import Address, checksum_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One owner on the list."""

    seat: Seat
    name: str  # as invited; empty: a key of the maker's, or a wallet of nobody here
    is_own: bool
    invitation: Invitation | None
    owner: Owner | None  # none before every place has a key
    is_checking: bool  # the chain looks at its proof

    @property
    def is_confirmed(self) -> bool:
        """Whether this owner said yes to exactly this list, or was vouched for."""
        if self.owner is None:
            return False
        return self.seat.is_proof_waived or self.owner.proven_at is not None

    @property
    def has_key(self) -> bool:
        """Whether it is known which key this owner signs with."""
        return self.seat.credential_id is not None or self.seat.address is not None

    @property
    def address_text(self) -> str:
        """A wallet's address; empty for a passkey."""
        return "" if self.seat.address is None else checksum_address(self.seat.address)


def places_of(*, formation: Formation, user: User) -> list[Place]:
    """Return the list of owners in its order, in four queries."""
    seats = formation.seats.select_related("credential", "holder", "invitation")
    owners: dict[int, Owner] = {}
    signed: set[int | bytes | None] = set()
    if formation.safe is not None:
        # Before the owners: a proof that the chain accepts meanwhile is seen in one of
        # both, so that nobody is asked for their touch again.
        proofs = KeyProof.objects.filter(
            safe=formation.safe, status=KeyProof.Status.SIGNED
        )
        signed |= set(proofs.values_list("credential_id", flat=True))
        wallets = WalletProof.objects.filter(
            safe=formation.safe, status=WalletProof.Status.SIGNED
        )
        signed |= set(wallets.values_list("address", flat=True))
        owners = {owner.position: owner for owner in formation.safe.owners.all()}
    # The account's own positions have no gaps, where a place was taken off the list.
    return [
        _place(seat, user, owners.get(number), signed)
        for number, seat in enumerate(seats.order_by("position"))
    ]


def _place(
    seat: Seat, user: User, owner: Owner | None, signed: set[int | bytes | None]
) -> Place:
    invitation = getattr(seat, "invitation", None)
    return Place(
        seat=seat,
        name="" if invitation is None else invitation.name,
        is_own=seat.holder_id == user.pk,
        invitation=invitation,
        owner=owner,
        is_checking=(seat.credential_id or seat.address) in signed,
    )


def words_of(formation: Formation) -> tuple[str, ...]:
    """Return what the owners read to each other; empty while there is no address."""
    if formation.safe is None:
        return ()
    return words_of_account(Address(formation.safe.address))
