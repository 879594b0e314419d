"""What losing things comes to, found by trying everything out.

Written apart from the planner and in another way, so that they can be compared. Keys lie
about as copies at places, mishaps take copies away and hand them to the thief, and then
both sides play: the account and its modules change by the calls that protocol.md names,
one at a time, and each side plays as well as can be. What nobody knows is tried both ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import NamedTuple

from onchain.services.loss_planner import (
    SITE,
    Key,
    Kind,
    Mishap,
    Mishaps,
    Plan,
)

PEOPLE, THIEF = "ours", "theirs"
NOBODY = "nobody"
OTHER = {PEOPLE: THIEF, THIEF: PEOPLE}
FAR = 1_000  # ticks, more than any delay
Seconds = int


# --- Playing --------------------------------------------------------------------------


class Module(NamedTuple):
    """What never changes of one recovery module."""

    threshold: int
    delay: int
    people: int  # guardians' keys that each side has
    thief: int

    def keys(self, side: str) -> int:
        return self.people if side == PEOPLE else self.thief


class Request(NamedTuple):
    """What waits at a module."""

    by: str
    approvals: int
    left: int  # ticks


class Rules(NamedTuple):
    """What never changes of an account and of who has which of its keys."""

    threshold: int
    people: int  # owners' keys that each side has
    thief: int
    modules: tuple[Module, ...]
    first: str  # who is first whenever both could

    def owns(self, side: str) -> bool:
        keys = self.people if side == PEOPLE else self.thief
        return keys >= self.threshold


@dataclass(frozen=True)
class Board:
    """An account: whose its owners are, and what waits at each module."""

    owners: str = "original"
    requests: tuple[Request | None, ...] = ()

    def put(self, place: int, request: Request | None) -> Board:
        rows = list(self.requests)
        rows[place] = request
        return replace(self, requests=tuple(rows))

    def later(self) -> Board:
        rows = [
            None if row is None else row._replace(left=max(0, row.left - 1))
            for row in self.requests
        ]
        return replace(self, requests=tuple(rows))


def controls(rules: Rules, board: Board, side: str) -> bool:
    """Whether a side can let the account do what it wants."""
    return board.owners == side or (board.owners == "original" and rules.owns(side))


def calls(rules: Rules, board: Board, side: str) -> Iterator[Board]:
    """Yield what the account is after each call that a side can make."""
    for place, module in enumerate(rules.modules):
        request = board.requests[place]
        for approvals in range(module.threshold, module.keys(side) + 1):
            if request is None or approvals > request.approvals:
                yield board.put(place, Request(side, approvals, module.delay))
        if request is not None and request.left == 0:
            yield replace(board.put(place, None), owners=request.by)
        if request is not None and request.by != side and controls(rules, board, side):
            yield board.put(place, None)


def play(rules: Rules) -> tuple[str, Seconds]:
    """Return who takes the money, and when, if everybody plays as well as can be."""
    horizon = 2 * max((module.delay for module in rules.modules), default=0) + 2

    @cache
    def best(board: Board, side: str, tick: int) -> int:
        """The value for the account's people: the sooner they have it the better."""
        if controls(rules, board, side):
            return FAR - tick if side == PEOPLE else tick - FAR
        found = [best(after, side, tick) for after in calls(rules, board, side)]
        if side == rules.first:
            found.append(best(board, OTHER[side], tick))
        else:
            found.append(
                0 if tick == horizon else best(board.later(), rules.first, tick + 1)
            )
        return max(found) if side == PEOPLE else min(found)

    value = best(Board(requests=(None,) * len(rules.modules)), rules.first, 0)
    if value == 0:
        return NOBODY, 0
    return (PEOPLE if value > 0 else THIEF), FAR - abs(value)


@cache
def outcome(rules: Rules) -> tuple[str, Seconds]:
    """Return who takes the money, or "race" where it is whoever is first."""
    found = [play(rules._replace(first=side)) for side in (PEOPLE, THIEF)]
    if found[0][0] == found[1][0]:
        return found[1]
    return "race", min(seconds for _who, seconds in found)


# --- Who has which copies -------------------------------------------------------------


class Luck(NamedTuple):
    """One way in which everything may be that nobody knows of a key."""

    signs_for_people: bool
    signs_for_thief: bool
    opens_without_site: bool  # a contract
    stays_on_devices: bool  # a synced passkey whose provider's account is gone
    was_on_device: bool  # that the thief has, and that may have had it
    fell_for_page: bool  # that the thief put at this site's address


LUCKS = [Luck(*each) for each in product((False, True), repeat=len(Luck._fields))]


def copies(key: Key, luck: Luck, mishaps: Mishaps) -> tuple[bool, bool]:
    """Return whether the account's people can use a key, and whether the thief can."""
    cloud = key.provider or key.thing
    devices = set(key.on | key.perhaps_on)
    if key.provider and not devices:
        devices = {"a device that nobody named"}
    places = {cloud} if key.provider is None else {cloud} | devices
    if mishaps.get(key.thing):
        left = set()
    else:
        left = {each for each in places if each not in mishaps}
        if cloud in mishaps and not luck.stays_on_devices:
            left = set()
    stolen = {each for each, what in mishaps.items() if what == Mishap.STOLEN}
    has = bool(stolen & ({key.thing, cloud} | key.on))
    certain = has
    has = has or (bool(stolen & key.perhaps_on) and luck.was_on_device)
    is_site_gone = SITE in mishaps
    if is_site_gone and key.kind == Kind.PASSKEY:
        left = set()
    if is_site_gone and key.kind in {Kind.CONTRACT, Kind.UNKNOWN}:
        left = left if luck.opens_without_site else set()
    if SITE in stolen and key.kind != Kind.WALLET:
        has = has or luck.fell_for_page
    ours, theirs = bool(left), has
    if not key.is_known:
        ours = ours and luck.signs_for_people
        theirs = theirs and (luck.signs_for_thief or not certain)
    return ours, theirs


@cache
def _fates(
    key: Key, happened: frozenset[tuple[str, Mishap]]
) -> frozenset[tuple[bool, bool]]:
    mishaps = dict(happened)
    return frozenset(copies(key, luck, mishaps) for luck in LUCKS)


def fates(key: Key, mishaps: Mishaps) -> frozenset[tuple[bool, bool]]:
    """Return every way in which both sides may have a key."""
    near = {key.thing, key.provider, SITE} | key.on | key.perhaps_on
    return _fates(key, frozenset((k, v) for k, v in mishaps.items() if k in near))


# --- Everything that may come of it ---------------------------------------------------


def counts(keys: Sequence[Key], mishaps: Mishaps) -> set[tuple[int, int]]:
    """Return every number of keys that both sides may have."""
    return {
        (sum(ours for ours, _ in each), sum(theirs for _, theirs in each))
        for each in product(*(fates(key, mishaps) for key in keys))
    }


def outcomes(plan: Plan, mishaps: Mishaps) -> set[tuple[str, Seconds]]:
    """Return everything that may come of some mishaps."""
    guardians = [
        [
            Module(each.threshold, each.delay_seconds, *found)
            for found in counts(each.guardians, mishaps)
        ]
        for each in plan.recoveries
    ]
    return {
        outcome(Rules(plan.threshold, *owners, tuple(modules), PEOPLE))
        for owners in counts(plan.owners, mishaps)
        for modules in product(*guardians)
    }
