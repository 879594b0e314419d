"""How a person gets at an account, and what losing a key would mean (product.md C-26).

One question, "what are the ways in?", with one answer for every page that asks it.
A way in is an owner that can sign; guardians who can bring it back are one as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery

from accounts.models import Credential, User
from accounts.providers import UNKNOWN, provider_name
from onchain.errors import NotTheOnlyKey
from onchain.models import Acknowledgement, Owner, RecoverySetup, Safe
from onchain.services import row_locks


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysIn:
    """What opens an account, as one of its people sees it."""

    signers: Sequence[Owner]  # owners of whom it is known that they can sign
    unknown: int  # owners of whom it is not
    threshold: int
    spare: Credential | None  # a passkey of the person that could be added
    acknowledged_at: datetime | None  # when the person said what one key means
    has_recovery: bool  # guardians can bring the account back

    @property
    def is_one_passkey(self) -> bool:
        """Whether one passkey is all that is known to open the account."""
        return (
            not self.has_recovery
            and self.threshold == 1
            and len(self.signers) == 1
            and self.signers[0].credential_id is not None
        )

    @property
    def only_provider(self) -> str:
        """The one provider that keeps every key, empty where that is not so.

        It is what the provider says of itself (accounts/providers.py). Of providers
        that are not known it is not known either whether they are the same.
        """
        keepers = {
            None if owner.credential is None else provider_name(owner.credential.aaguid)
            for owner in self.signers
        }
        if len(keepers) != 1 or self.unknown:
            return ""
        keeper = keepers.pop()
        return "" if keeper in (None, UNKNOWN) else str(keeper)


def ways_in(*, safe: Safe, user: User) -> WaysIn:
    """Return what opens an account, in two queries.

    A passkey that signs the person in is no way into the account until the account
    names it among its owners; the newest such one is the spare.
    """
    said = Acknowledgement.objects.filter(safe=OuterRef("safe"), user=user)
    recovery = RecoverySetup.objects.filter(
        safe=OuterRef("safe"), is_enabled=True, threshold__gt=0
    )
    owners = list(
        safe.owners.current()
        .select_related("credential__user")
        .annotate(
            acknowledged_at=Subquery(said.values("acknowledged_at")),
            has_recovery=Exists(recovery),
        )
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
        has_recovery=bool(owners and owners[0].has_recovery),
    )


def acknowledge(*, safe: Safe, user: User) -> None:
    """Remember that a person knows what one key means for this account.

    Safe to repeat: the first time is kept. The account is held meanwhile, so that one
    with other owners by now is not put at rest by it.

    Raises:
        NotTheOnlyKey: there is nothing to acknowledge.
    """
    with transaction.atomic():
        row_locks.lock_accounts([safe.pk])
        safe.refresh_from_db(fields=["threshold"])
        if not ways_in(safe=safe, user=user).is_one_passkey:
            raise NotTheOnlyKey
        Acknowledgement.objects.get_or_create(safe=safe, user=user)


def take_back(*, safe: Safe, user: User) -> None:
    """Forget what a person acknowledged; safe to repeat."""
    Acknowledgement.objects.filter(safe=safe, user=user).delete()


def forget_acknowledgements(*, safe: Safe) -> None:
    """Forget what everybody acknowledged: the account's owners are others now."""
    Acknowledgement.objects.filter(safe=safe).delete()
