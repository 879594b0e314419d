"""What people call the guardians of an account: names, never in place of addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from onchain.models import Invitation, KeyProof, Safe, WalletProof
from onchain.protocol.types import Address, checksum_address

PROVEN = {"status": KeyProof.Status.PROVEN, "role": KeyProof.Role.GUARDIAN}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedGuardian:
    """An address that guards or is to guard, and whose it is."""

    address: Address
    name: str  # empty: nobody said
    kind: str  # of the key, in words
    is_passkey: bool  # which works on one web address only

    @property
    def address_text(self) -> str:
        """The checksummed address."""
        return checksum_address(self.address)


def named(*, safe: Safe, addresses: Iterable[Address]) -> list[NamedGuardian]:
    """Return the addresses in their order, each with what is known of it.

    The name on the invitation is the one that the owner gave, and comes first. Three
    queries, however many they are.
    """
    wanted = list(addresses)
    keys = {
        Address(proof.signer): proof.credential.user.name
        for proof in KeyProof.objects.filter(
            safe=safe, signer__in=wanted, **PROVEN
        ).select_related("credential__user")
    }
    wallets = {
        Address(proof.address): proof.user.name
        for proof in WalletProof.objects.filter(
            safe=safe, address__in=wanted, **PROVEN
        ).select_related("user")
    }
    invited = {
        Address(row.address): row.name
        for row in Invitation.objects.filter(
            safe=safe,
            role=KeyProof.Role.GUARDIAN,
            address__in=wanted,
            status=Invitation.Status.CONFIRMED,
        ).order_by("pk")
        if row.address is not None
    }
    names = keys | wallets | invited
    return [
        NamedGuardian(
            address=address,
            name=names.get(address, ""),
            kind=_kind(address in keys, address in wallets),
            is_passkey=address in keys,
        )
        for address in wanted
    ]


def as_own(guardian: NamedGuardian) -> NamedGuardian:
    """Return the same as a key of whoever is asking: nobody else's help."""
    key = "passkey" if guardian.is_passkey else "wallet"
    kind = f"Your own {key}: whoever takes it is a guardian then"
    return replace(guardian, kind=kind)


def _kind(is_passkey: bool, is_wallet: bool) -> str:
    if is_passkey:
        return "Passkey of this site"
    return "Wallet" if is_wallet else "Address that has proven nothing here"
