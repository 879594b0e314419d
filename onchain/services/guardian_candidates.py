"""Who could become a guardian of an account now, and who is still on the way."""

from __future__ import annotations

from accounts.models import User
from onchain.models import Invitation, KeyProof, Safe, WalletProof
from onchain.protocol.types import Address
from onchain.services import guardian_names, guardian_rules, invitations
from onchain.services.guardian_names import NamedGuardian

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
    return guardian_names.named(safe=safe, addresses=addresses)


def on_their_way(*, safe: Safe) -> list[Invitation]:
    """Return the invitations of guardians that wait for somebody, newest first."""
    return list(invitations.open_of(safe=safe).filter(role=ROLE))


def being_checked(*, safe: Safe, user: User) -> list[WalletProof]:
    """Return the person's contracts that the chain is being asked about."""
    rows = WalletProof.objects.filter(
        safe=safe, user=user, role=ROLE, status=WalletProof.Status.SIGNED
    )
    return list(rows)
