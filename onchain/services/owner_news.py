"""Telling everybody who can sign for an account that who can sign has changed.

Each person reads of their own keys by name and of all others by address. The same words
are told once in an hour: a reorg may take a change away and bring it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts import credentials, security_events
from accounts.models import SecurityEvent, User
from accounts.visible_text import visible
from onchain.models import Owner, Safe

TOLD_HOURS = 1  # what a reorg took away and brought back is told once
Kind = SecurityEvent.Kind


def tell_added(owner: Owner) -> None:
    """Tell who can sign of a new owner, its own person included."""
    for user in signing(owner.safe):
        words = f"{_name(owner, user)} can now sign for {owner.safe.name}."
        tell_once(user, Kind.OWNER_ADDED, words)


def tell_removed(owners: Sequence[Owner]) -> None:
    """Tell who can sign of one account's lost owners, and those whose keys they were.

    A passkey that only changed its signer contract is an owner still, and no news.
    """
    if not owners:
        return
    safe = owners[0].safe
    able = signing(safe)
    kept = {owner.credential_id for owner in safe.owners.current()} - {None}
    for owner in owners:
        if owner.credential_id in kept:
            continue
        holder = owner.person
        people = dict.fromkeys(able)
        if holder is not None:
            people[holder] = None
        for user in people:
            words = f"{_name(owner, user)} can no longer sign for {safe.name}."
            tell_once(user, Kind.OWNER_REMOVED, words)


def tell_threshold(safe: Safe, *, threshold: int) -> None:
    """Tell who can sign how many must approve from now on."""
    count = safe.owners.current().count()
    noun = "owner" if count == 1 else "owners"
    words = f"{threshold} of {count} {noun} must now approve for {safe.name}."
    for user in signing(safe):
        tell_once(user, Kind.THRESHOLD_CHANGED, words)


def signing(safe: Safe) -> list[User]:
    """Return everybody whose key is an owner now."""
    current = safe.owners.current()
    keyed = Q(pk__in=current.values("credential__user"))
    people = User.objects.filter(keyed | Q(pk__in=current.values("holder")))
    return list(people.order_by("pk"))


def _name(owner: Owner, user: User) -> str:
    passkey = owner.credential
    if passkey is not None and passkey.user_id == user.pk:
        return credentials.phrase_of(passkey)
    if owner.holder_id == user.pk:
        return f"Your wallet {owner.address_text}"
    return f"The owner {owner.address_text}"


def tell_once(user: User, kind: SecurityEvent.Kind, words: str) -> None:
    """Write an event down unless the person was told the same words lately."""
    # As it will be stored, so that it is found again.
    detail = visible(words, limit=security_events.DETAIL_CHARACTERS)
    since = timezone.now() - timedelta(hours=TOLD_HOURS)
    told = user.security_events.filter(kind=kind, detail=detail, created_at__gte=since)
    if not told.exists():
        security_events.note(user=user, kind=kind, detail=detail)
