"""What is left of an account when things are lost or stolen (product.md K-13, L-20).

Pure: no rows, no network, no clock. Two sides are looked at: the people of the account,
who work together, and one thief, who has everything that is said to be stolen. Owners
that reach the threshold move the money at once and can cancel every recovery. Guardians
that reach theirs begin one, which replaces all owners when the delay is over; one that
waits gives way only to more approvals (protocol.md, section 6). What nobody knows, such
as whether an unproven contract can sign, is taken for the worst and for the best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What a key is, as the rows of owners and guardians say it."""

    PASSKEY = "passkey"
    WALLET = "wallet"
    CONTRACT = "contract"
    UNKNOWN = "unknown"


class Mishap(StrEnum):
    """What can happen to a thing."""

    LOST = "lost"  # nobody has it
    STOLEN = "stolen"  # somebody else has it and can use it; its people do not


class Sure(IntEnum):
    """Whether somebody can do something."""

    NO = 0
    MAYBE = 1
    YES = 2


SITE = "site"  # the web address that passkeys of this site answer to
Mishaps = Mapping[str, Mishap]  # by thing; what is not in it is fine


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An owner or a guardian of the account, and where its key is.

    A synced passkey is with its provider, on devices that are known to have it and on
    some that may; any other key is in one place, which is the thing of its own.
    """

    thing: str  # its own
    name: str  # as the middle of a sentence has it
    kind: Kind = Kind.PASSKEY
    is_known: bool = True  # to be able to sign
    is_yours: bool = False
    provider: str | None = None  # the thing that keeps it synced, if that is another
    on: frozenset[str] = frozenset()  # devices that have a copy
    perhaps_on: frozenset[str] = frozenset()  # devices that may have one


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """One recovery module that the account lets act."""

    guardians: Sequence[Key]
    threshold: int
    delay_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Somebody who is mailed when a recovery begins."""

    name: str
    thing: str | None = None  # the address, where it is one of the things


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides over an account."""

    owners: Sequence[Key]
    threshold: int
    recoveries: Sequence[Recovery] = ()
    channels: Sequence[Channel] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """What one side has of the keys that are needed for something."""

    needed: int
    sure: Sequence[Key]
    maybe: Sequence[Key]

    @property
    def reached(self) -> Sure:
        """Whether they are enough."""
        if len(self.sure) >= self.needed:
            return Sure.YES
        enough = len(self.sure) + len(self.maybe) >= self.needed
        return Sure.MAYBE if enough else Sure.NO

    def count(self, *, lucky: bool) -> int:
        """Return how many there are, with those that are not certain or without."""
        return len(self.sure) + (len(self.maybe) if lucky else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryAnswer:
    """What both sides have of one module's guardians."""

    recovery: Recovery
    ours: Quorum
    theirs: Quorum


class Result(StrEnum):
    """Who has the account in the end."""

    OURS = "ours"
    RACE = "race"  # whoever is first
    NOBODY = "nobody"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Who has the account in the end, and after how long."""

    result: Result
    seconds: int = 0  # 0: at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Force:
    """How many keys one side has: owners', and guardians' of each module."""

    owners: int
    guardians: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What some mishaps make of an account."""

    ours: Quorum  # owners' keys
    theirs: Quorum
    recoveries: Sequence[RecoveryAnswer]
    worst: End  # everything that is not known is as bad as can be
    best: End
    warned: Sequence[str]  # who is mailed when a recovery begins

    @property
    def can_begin(self) -> Sure:
        """Whether the thief can begin a recovery."""
        return max((each.theirs.reached for each in self.recoveries), default=Sure.NO)


def answer(plan: Plan, mishaps: Mishaps) -> Answer:
    """Return what is left of an account after these mishaps."""
    ours = _quorum(plan.owners, plan.threshold, mishaps, held)
    theirs = _quorum(plan.owners, plan.threshold, mishaps, taken)
    recoveries = [
        RecoveryAnswer(
            recovery=each,
            ours=_quorum(each.guardians, each.threshold, mishaps, held),
            theirs=_quorum(each.guardians, each.threshold, mishaps, taken),
        )
        for each in plan.recoveries
    ]

    def end(*, lucky: bool) -> End:
        return end_of(
            plan,
            ours=Force(
                owners=ours.count(lucky=lucky),
                guardians=[each.ours.count(lucky=lucky) for each in recoveries],
            ),
            theirs=Force(
                owners=theirs.count(lucky=not lucky),
                guardians=[each.theirs.count(lucky=not lucky) for each in recoveries],
            ),
        )

    return Answer(
        ours=ours,
        theirs=theirs,
        recoveries=recoveries,
        worst=end(lucky=False),
        best=end(lucky=True),
        warned=_warned(plan, mishaps),
    )


# --- Keys -----------------------------------------------------------------------------


def held(key: Key, mishaps: Mishaps) -> Sure:
    """Whether the account's people can still sign with a key.

    A synced passkey whose provider's account is gone works where a device still has it.
    A contract may be opened by passkeys of this site, which nobody here knows.
    """
    if key.thing in mishaps:
        return Sure.NO
    if SITE in mishaps and key.kind == Kind.PASSKEY:
        return Sure.NO
    if key.provider in mishaps:
        devices = key.on | key.perhaps_on
        is_gone = bool(devices) and all(device in mishaps for device in devices)
        return Sure.NO if is_gone else Sure.MAYBE
    is_doubtful = SITE in mishaps and key.kind != Kind.WALLET
    return Sure.MAYBE if is_doubtful or not key.is_known else Sure.YES


def taken(key: Key, mishaps: Mishaps) -> Sure:
    """Whether the thief can sign with a key.

    Whoever runs this site's address can put anything before those who still sign there.
    A thief is not held up by its end: keys can be copied out of a provider.
    """

    def is_stolen(things: Iterable[str | None]) -> bool:
        return any(mishaps.get(each or "") == Mishap.STOLEN for each in things)

    if is_stolen({key.thing, key.provider, *key.on}):
        return Sure.YES if key.is_known else Sure.MAYBE
    is_page_false = key.kind != Kind.WALLET and is_stolen([SITE])
    return Sure.MAYBE if is_page_false or is_stolen(key.perhaps_on) else Sure.NO


def _quorum(
    keys: Sequence[Key],
    needed: int,
    mishaps: Mishaps,
    has: Callable[[Key, Mishaps], Sure],
) -> Quorum:
    found = [(key, has(key, mishaps)) for key in keys]
    return Quorum(
        needed=needed,
        sure=[key for key, sure in found if sure == Sure.YES],
        maybe=[key for key, sure in found if sure == Sure.MAYBE],
    )


def _warned(plan: Plan, mishaps: Mishaps) -> list[str]:
    """Return who is mailed; it is this site that writes the mails."""
    if SITE in mishaps:
        return []
    return [each.name for each in plan.channels if each.thing not in mishaps]


# --- Who is first ---------------------------------------------------------------------


def end_of(plan: Plan, *, ours: Force, theirs: Force) -> End:
    """Return who has the account in the end, when both sides do what they can.

    Our people are taken to notice what begins before its delay is over.
    """
    thief_first = _end(plan, ours, theirs, is_thief_first=True)
    thief_second = _end(plan, ours, theirs, is_thief_first=False)
    if thief_first.result == thief_second.result:
        return thief_first
    seconds = min(thief_first.seconds, thief_second.seconds)
    return End(result=Result.RACE, seconds=seconds)


def _end(plan: Plan, ours: Force, theirs: Force, *, is_thief_first: bool) -> End:
    we_move = ours.owners >= plan.threshold
    they_move = theirs.owners >= plan.threshold
    if they_move and (is_thief_first or not we_move):
        return End(result=Result.THEIRS)
    if we_move:  # and cancel whatever the thief begins
        return End(result=Result.OURS)
    we = _soonest(plan, ours, theirs)
    they = _soonest(plan, theirs, ours)
    if we is None and they is None:
        return End(result=Result.NOBODY)
    if they is None:
        return End(result=Result.OURS, seconds=we or 0)
    if we is None or they < we or (they == we and is_thief_first):
        return End(result=Result.THEIRS, seconds=they)
    return End(result=Result.OURS, seconds=we)


def _soonest(plan: Plan, own: Force, other: Force) -> int | None:
    """Return how soon a recovery of one side can end; of equals the first one stays."""
    delays = [
        recovery.delay_seconds
        for recovery, mine, others in zip(
            plan.recoveries, own.guardians, other.guardians, strict=True
        )
        if mine >= recovery.threshold and mine >= others
    ]
    return min(delays, default=None)
