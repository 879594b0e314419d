"""Which claims a guardian sees: those handed to them, and those others vouched for.

A claim is silent: it reaches nobody by itself. Whoever holds its link sees it, and all
the other guardians once one of them approved it with a signature that counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import User
from onchain.models import AccountClaim, Guardian, GuardianApproval
from onchain.services.guardian_signatures import COUNTING

Status = AccountClaim.Status
VOUCHED = Q(approvals__status=GuardianApproval.Status.VALID)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAccount:
    """One account of a claim for several, and whether this person approved."""

    row: AccountClaim
    is_approved: bool


def visible_to(*, user: User, opened: Sequence[int]) -> QuerySet[AccountClaim]:
    """Return the claims that the person may look at.

    Args:
        opened: claims whose links this browser opened.
    """
    guarded = Guardian.objects.of(user).values("setup__safe")
    seen = (
        Q(claim__in=list(opened))
        | Q(approvals__user=user)
        | (VOUCHED & Q(safe__in=guarded))
    )
    found = AccountClaim.objects.filter(seen, nonce__isnull=False)
    return AccountClaim.objects.filter(pk__in=found.values("pk"))


def asked_of(*, user: User, opened: Sequence[int]) -> list[AccountClaim]:
    """Return the claims in which the person may still be asked for something."""
    rows = visible_to(user=user, opened=opened).exclude(
        status__in=[Status.DONE, Status.STOPPED]
    )
    return list(rows.select_related("safe__chain", "claim__user"))


def beside(
    *, row: AccountClaim, user: User, opened: Sequence[int]
) -> list[AskedAccount]:
    """Return all accounts of a claim that the person sees; each is signed by itself."""
    rows = visible_to(user=user, opened=opened).filter(claim=row.claim_id)
    found = rows.exclude(status=Status.STOPPED).select_related("safe").order_by("pk")
    counting = GuardianApproval.objects.filter(
        account_claim__in=found, user=user, status__in=COUNTING
    )
    approved = set(counting.values_list("account_claim", flat=True))
    return [AskedAccount(row=item, is_approved=item.pk in approved) for item in found]
