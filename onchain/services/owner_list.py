"""The owners of an account as its page lists them, and who could join them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from accounts.models import Credential, User
from accounts.providers import provider_name
from onchain.models import KeyProof, Owner, Safe, WalletProof
from onchain.protocol.types import Address, checksum_address
from onchain.services import new_owners, owner_names
from onchain.services.new_owners import NewOwner
from onchain.services.owner_rules import proven_among


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerLine:
    """One owner and what is known of it."""

    owner: Owner
    name: str  # of its person, or of nobody's address; empty: it has none
    is_mine: bool
    is_this_device: bool  # its passkey is known to be on the device that is used
    is_proven: bool
    last_signed_at: datetime | None

    @property
    def is_named(self) -> bool:
        """Whether there is another name for it than its kind."""
        own = self.is_mine and self.owner.credential is not None
        return own or bool(self.name and not self.is_mine)

    @property
    def provider(self) -> str:
        """Who keeps the passkey, as it says itself; empty for all other kinds."""
        passkey = self.owner.credential
        return "" if passkey is None else provider_name(passkey.aaguid)


def owners_of(
    *, safe: Safe, user: User, device_credential: int | None = None
) -> list[OwnerLine]:
    """Return the current owners in the account's own order, in two queries.

    Args:
        device_credential: the passkey that is known to be on the device that is used.
    """
    owners = list(
        owner_names.with_names(safe.owners.current())
        .annotate(last_signed_at=Max("signatures__created_at"))
        .order_by("position")
    )
    proven = {row.pk for row in proven_among(owners, safe=safe)}
    return [
        OwnerLine(
            owner=owner,
            name=owner_names.name_of(owner),
            is_mine=owner.person == user,
            is_this_device=device_credential is not None
            and owner.credential_id == device_credential,
            is_proven=owner.pk in proven,
            last_signed_at=owner.last_signed_at,
        )
        for owner in owners
    ]


def candidates(*, safe: Safe, user: User) -> dict[str, NewOwner]:
    """Return, by address, who has proven themselves and owns nothing here yet.

    The person's own passkeys, and wallets; each may take another owner's place.
    """
    owned = {bytes(row.address) for row in safe.owners.current()}
    proofs = KeyProof.objects.filter(
        safe=safe,
        role=KeyProof.Role.OWNER,
        status=KeyProof.Status.PROVEN,
        credential__in=Credential.objects.of(user).usable(),
    )
    found = [
        new_owners.own_passkey(safe=safe, credential=proof.credential)
        for proof in proofs.select_related("credential")
    ]
    wallets = WalletProof.objects.filter(
        safe=safe, role=WalletProof.Role.OWNER, status=WalletProof.Status.PROVEN
    )
    found += [new_owners.wallet(address=Address(row.address)) for row in wallets]
    return {
        checksum_address(new.address): new for new in found if new.address not in owned
    }
