"""Telling people of a claim to recover an account, before anything of it is on chain.

A claim itself tells no guardian anything: its link and its words are handed over in
person, and a stranger's claim must not send mail to those who would have to refuse it.
Owners hear of it, once a day at most; the other guardians once one of them approved
with a signature that counts. What begins on chain is told by ``recovery_alarms``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from accounts import security_events
from accounts.models import SecurityEvent, User
from accounts.visible_text import visible
from onchain.models import AccountClaim, Guardian, GuardianApproval
from onchain.services import owner_news

Kind = SecurityEvent.Kind
ONCE = timedelta(days=1)
NAME_CHARACTERS = 50


def tell_owners(row: AccountClaim) -> None:
    """Tell who can sign that somebody asks the guardians; once a day for an account."""
    name = visible(row.safe.name, limit=NAME_CHARACTERS)
    words = (
        f"{name}: somebody asks its guardians for the account. Nothing has begun. If "
        "it was not you, tell your guardians."
    )
    people = owner_news.signing(row.safe)
    _tell(people, Kind.RECOVERY_ASKED, words, but=[row.claim.user_id])


def tell_guardians(approval: GuardianApproval) -> None:
    """Tell the other guardians that one of them approved, after the first who did."""
    row = approval.account_claim
    if row.approvals.filter(status=GuardianApproval.Status.VALID).count() != 1:
        return
    guardians = Guardian.objects.current().filter(
        setup__safe=row.safe, setup__module=row.module
    )
    people = [
        guardian.person
        for guardian in guardians.select_related("credential__user", "holder")
        if guardian.person is not None
    ]
    words = (
        f"A guardian approved that {row.safe.address_text} gets new owners. You guard "
        "it too: call its owner before you do anything."
    )
    but = [approval.user_id, row.claim.user_id]
    _tell(people, Kind.RECOVERY_VOUCHED, words, but=but)


def _tell(
    people: Iterable[User],
    kind: SecurityEvent.Kind,
    words: str,
    *,
    but: list[int],
) -> None:
    detail = visible(words, limit=security_events.DETAIL_CHARACTERS)
    since = timezone.now() - ONCE
    for user in dict.fromkeys(people):
        told = user.security_events.filter(kind=kind, detail=detail)
        if user.pk not in but and not told.filter(created_at__gte=since).exists():
            security_events.note(user=user, kind=kind, detail=detail)
