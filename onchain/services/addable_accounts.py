"""The accounts of a person that one of their passkeys could be added to."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import Credential, User
from onchain.models import KeyProof, Safe, UserOperation
from onchain.services import roles
from onchain.services.change_lane import in_flight


@dataclass(frozen=True, slots=True, kw_only=True)
class AddableAccount:
    """An account of a person that one of their passkeys cannot sign for yet."""

    safe: Safe
    is_proven: bool  # the passkey has shown that it signs for exactly this account
    pending: UserOperation | None  # a change of its owners, perhaps of another passkey


def addable_accounts(*, user: User, credential: Credential) -> list[AddableAccount]:
    """Return the person's live accounts that the passkey is no owner of, oldest first.

    Three queries, however many accounts there are.
    """
    usable = {
        "owners__is_current": True,
        "owners__credential__user": user,
        "owners__credential__removed_at": None,
    }
    safes = list(
        roles.proposable_by(user)
        .filter(status=Safe.Status.DEPLOYED, **usable)
        .exclude(pk__in=_owned_by(credential))
        .select_related("chain")
        .order_by("pk")
        .distinct()
    )
    proofs = KeyProof.objects.filter(
        credential=credential,
        safe__in=safes,
        role=KeyProof.Role.OWNER,
        status=KeyProof.Status.PROVEN,
    )
    proven = set(proofs.values_list("safe_id", flat=True))
    pending = {op.safe_id: op for op in in_flight(safes).order_by("pk")}
    return [
        AddableAccount(
            safe=safe, is_proven=safe.pk in proven, pending=pending.get(safe.pk)
        )
        for safe in safes
    ]


def _owned_by(credential: Credential) -> QuerySet[Safe]:
    """Return the accounts whose current owners name the passkey."""
    owned = {"owners__credential": credential, "owners__is_current": True}
    return Safe.objects.filter(**owned)
