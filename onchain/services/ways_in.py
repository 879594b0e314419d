"""How a person gets at an account, and what losing a key would mean (product.md C-26).

One question, "what are the ways in?", with one answer for every page that asks it.
Today a way in is an owner that can sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from accounts.models import Credential, User
from onchain.errors import NotTheOnlyKey
from onchain.models import Acknowledgement, Owner, Safe


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysIn:
    """What opens an account, as one of its people sees it."""

    signers: Sequence[Owner]  # owners of whom it is known that they can sign
    unknown: int  # owners of whom it is not
    threshold: int
    spare: Credential | None  # a passkey of the person that could be added
    acknowledged_at: datetime | None  # when the person said what one key means

    @property
    def is_one_passkey(self) -> bool:
        """Whether one passkey is the only key that is known to open the account."""
        return (
            self.threshold == 1
            and len(self.signers) == 1
            and self.signers[0].credential_id is not None
        )


def ways_in(*, safe: Safe, user: User) -> WaysIn:
    """Return what opens an account, in two queries.

    A passkey that signs the person in is no way into the account until the account
    names it among its owners; the newest such one is the spare.
    """
    said = Acknowledgement.objects.filter(safe=OuterRef("safe"), user=user)
    owners = list(
        safe.owners.current()
        .select_related("credential__user")
        .annotate(acknowledged_at=Subquery(said.values("acknowledged_at")))
    )
    signers = [owner for owner in owners if owner.can_sign]
    owning = [row.credential_id for row in signers if row.credential_id is not None]
    spare = Credential.objects.of(user).exclude(pk__in=owning).last()
    return WaysIn(
        signers=signers,
        unknown=len(owners) - len(signers),
        threshold=safe.threshold,
        spare=spare,
        acknowledged_at=owners[0].acknowledged_at if owners else None,
    )


def acknowledge(*, safe: Safe, user: User) -> None:
    """Remember that a person knows what one key means for this account.

    Safe to repeat: the first time is kept.

    Raises:
        NotTheOnlyKey: there is nothing to acknowledge.
    """
    if not ways_in(safe=safe, user=user).is_one_passkey:
        raise NotTheOnlyKey
    Acknowledgement.objects.get_or_create(safe=safe, user=user)


def take_back(*, safe: Safe, user: User) -> None:
    """Forget what a person acknowledged; safe to repeat."""
    Acknowledgement.objects.filter(safe=safe, user=user).delete()


def forget_acknowledgements(*, safe: Safe) -> None:
    """Forget what everybody acknowledged: the account's owners are others now."""
    Acknowledgement.objects.filter(safe=safe).delete()
