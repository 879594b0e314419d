"""Who could become a guardian of an account now, and who is still on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import Credential, User
from onchain.models import Guardian, Invitation, KeyProof, Owner, Safe, WalletProof
from onchain.models.owner import public_key_of
from onchain.protocol.deployments import SHARED_SIGNER
from onchain.protocol.types import Address
from onchain.services import guardian_names, guardian_rules, invitations, signers
from onchain.services.guardian_names import NamedGuardian

LATELY = timedelta(minutes=10)  # how long a page tells what the chain said
ROLE = KeyProof.Role.GUARDIAN


def candidates(
    *, safe: Safe, user: User, guardians: list[Address]
) -> list[NamedGuardian]:
    """Return the keys that proved themselves and guard nothing yet, newest last.

    Those whom the person's invitations brought, once the words were compared, and the
    person's own. Nobody who owns the account is one.
    """
    invited = Invitation.objects.filter(
        safe=safe, role=ROLE, status=Invitation.Status.CONFIRMED
    ).values_list("address", flat=True)
    proven = {"safe": safe, "role": ROLE, "status": KeyProof.Status.PROVEN}
    wallets = WalletProof.objects.filter(user=user, **proven)
    passkeys = KeyProof.objects.filter(credential__user=user, **proven)
    taken = {bytes(each) for each in guardians}
    taken |= set(safe.owners.current().values_list("address", flat=True))
    found = [
        *invited.order_by("pk"),
        *wallets.order_by("pk").values_list("address", flat=True),
        *passkeys.order_by("pk").values_list("signer", flat=True),
    ]
    addresses = [
        Address(each)
        for each in dict.fromkeys(found)
        if each is not None
        and each not in taken
        and guardian_rules.is_proven(safe=safe, user=user, address=Address(each))
    ]
    own = {bytes(each) for each in wallets.values_list("address", flat=True)}
    own |= {bytes(each) for each in passkeys.values_list("signer", flat=True)}
    return [
        guardian_names.as_own(each) if each.address in own else each
        for each in guardian_names.named(safe=safe, addresses=addresses)
    ]


def on_their_way(*, safe: Safe) -> list[Invitation]:
    """Return the invitations of guardians that wait for somebody, newest first."""
    return list(invitations.open_of(safe=safe).filter(role=ROLE))


def own_passkeys(*, safe: Safe, user: User) -> list[Credential]:
    """Return the person's passkeys that neither own nor guard the account."""
    taken = set(safe.owners.current().values_list("address", flat=True))
    guarding = Guardian.objects.current().filter(setup__safe=safe)
    taken |= set(guarding.values_list("address", flat=True))
    if SHARED_SIGNER in taken:  # whose key it is tells the row, not the address
        owning = safe.owners.current().values("credential")
    else:
        owning = Owner.objects.none().values("credential")
    own = Credential.objects.of(user).usable().exclude(pk__in=owning)
    return [
        passkey
        for passkey in own.order_by("pk")
        if signers.signer_for(public_key=public_key_of(passkey), safe=safe) not in taken
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What the chain is asked, or said lately, of keys that the person brought."""

    waiting: list[Address]
    proven: list[Address]
    refused: list[Address]

    @property
    def is_waiting(self) -> bool:
        """Whether anything is still to be said."""
        return bool(self.waiting)

    @property
    def said(self) -> str:
        """What happened, for who listens to the page."""
        if self.waiting:
            return ""
        words = "A new guardian can sign." if self.proven else ""
        return f"{words} One did not sign.".strip() if self.refused else words


def checks_of(*, safe: Safe, user: User) -> Checks:
    """Return the newest word on each of the person's wallets and passkeys."""
    lately = timezone.now() - LATELY
    asked = {"safe": safe, "role": ROLE, "signed_at__gte": lately}
    wallets = WalletProof.objects.filter(user=user, **asked).order_by("pk")
    keys = KeyProof.objects.filter(credential__user=user, **asked).order_by("pk")
    newest = {
        Address(address): status
        for address, status in [
            *wallets.values_list("address", "status"),
            *keys.values_list("signer", "status"),
        ]
    }

    def those(status: str) -> list[Address]:
        return [address for address, found in newest.items() if found == status]

    return Checks(
        waiting=those(KeyProof.Status.SIGNED),
        proven=those(KeyProof.Status.PROVEN),
        refused=those(KeyProof.Status.REFUSED),
    )
