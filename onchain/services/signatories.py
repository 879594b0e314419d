"""Whom among an account's owners one person can sign as, and what they signed."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from onchain.models import OperationSignature, Owner, Safe, UserOperation
from onchain.services import owner_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatories:
    """An account's owners and their signatures of one operation, read once."""

    owners: tuple[Owner, ...]  # those of before too, in order, with their names
    signatures: tuple[OperationSignature, ...]  # as they came, each with its owner

    @property
    def current(self) -> list[Owner]:
        """The owners that the chain has, as far as it was read."""
        return [owner for owner in self.owners if owner.is_current]

    def own(self, user: User) -> list[Owner]:
        """Return the owners that a person can sign as now."""
        return [owner for owner in self.current if _can_sign_as(owner, user)]

    def unsigned(self, user: User) -> list[Owner]:
        """Return those of a person's owners whose signature is not there yet."""
        signed = {row.owner_id for row in self.signatures if row.counts}
        return [owner for owner in self.own(user) if owner.pk not in signed]


def of(op: UserOperation) -> Signatories:
    """Return who owns an operation's account, and who signed it, in two queries."""
    owners = tuple(owner_names.with_names(op.safe.owners.order_by("position")))
    signatures = tuple(op.signatures.order_by("pk"))
    known = {owner.pk: owner for owner in owners}
    for row in signatures:
        row.owner = known[row.owner_id]
    return Signatories(owners=owners, signatures=signatures)


def own_signers(*, safe: Safe, user: User) -> list[Owner]:
    """Return the account's owners that this person can sign as now, in their order.

    Passkeys that were not removed here, and wallets or contracts that the person has
    proven to hold. One query; ``passkeys.own_owners`` knows the passkeys alone.
    """
    owners = safe.owners.current().select_related("credential__user")
    return [owner for owner in owners if _can_sign_as(owner, user)]


def own_wallets(*, safe: Safe, user: User) -> list[Owner]:
    """Return the account's owners that are wallets or contracts of this person."""
    return [
        owner for owner in own_signers(safe=safe, user=user) if owner.credential is None
    ]


def _can_sign_as(owner: Owner, user: User) -> bool:
    if owner.credential is None:
        return owner.holder_id == user.pk
    return owner.credential.user_id == user.pk and owner.credential.removed_at is None
