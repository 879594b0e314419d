"""Telling owners and guardians that who can recover an account has changed (R58).

Whoever can change guardians can have the account without its owners: a change that an
owner did not make is how a theft begins, so each of them hears of it, wherever it was
made. One message for each reading, however many guardians came and went.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import SecurityEvent, User
from accounts.visible_text import visible
from onchain.models import Guardian, RecoverySetup
from onchain.services import owner_news
from onchain.services.recovery_stand_in import in_words

Kind = SecurityEvent.Kind
NAME_CHARACTERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Who could recover an account by one module, as rows had it."""

    is_active: bool
    threshold: int
    guardians: frozenset[bytes]


def state_of(setup: RecoverySetup) -> State:
    """Return what the rows say now."""
    row = RecoverySetup.objects.get(pk=setup.pk)
    current = setup.guardians.current().values_list("address", flat=True)
    return State(
        is_active=row.is_active,
        threshold=row.threshold,
        guardians=frozenset(bytes(address) for address in current),
    )


def tell(setup: RecoverySetup, *, before: State) -> None:
    """Tell everybody concerned what is different from before; nothing if nothing is.

    Guardians of a module that the account does not let act can do nothing, and are no
    news.
    """
    after = state_of(setup)
    if after == before or not (before.is_active or after.is_active):
        return
    words = _words(setup, before, after)
    name = visible(setup.safe.name, limit=NAME_CHARACTERS)
    for user in owner_news.signing(setup.safe):
        owner_news.tell_once(user, Kind.GUARDIANS_CHANGED, f"{name}: {words}")
    for user, own in _guardians(setup, before, after):
        owner_news.tell_once(user, Kind.GUARDIANS_CHANGED, f"{own} {name}: {words}")


def _words(setup: RecoverySetup, before: State, after: State) -> str:
    if not after.is_active:
        return "Guardians can no longer recover it."
    parts = []
    if came := len(after.guardians - before.guardians):
        parts.append(f"{came} guardian{'' if came == 1 else 's'} came")
    if went := len(before.guardians - after.guardians):
        parts.append(f"{went} went")
    changes = f"{' and '.join(parts)}. " if parts else ""
    return (
        f"{changes}{after.threshold} of {len(after.guardians)} can recover it now, "
        f"after {in_words(setup.delay_seconds or 0)}."
    )


def _guardians(
    setup: RecoverySetup, before: State, after: State
) -> list[tuple[User, str]]:
    """Return who guards it or did until now, each with what they are to it."""
    touched = before.guardians | after.guardians
    rows = Guardian.objects.filter(setup=setup, address__in=touched)
    people: dict[User, str] = {}
    for row in rows.select_related("credential__user", "holder").order_by("position"):
        if row.person is not None:
            is_there = after.is_active and row.is_current
            people[row.person] = "You guard" if is_there else "You no longer guard"
    return list(people.items())
