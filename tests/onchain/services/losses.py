"""Accounts of all kinds of keys, and everything that can happen to them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from hypothesis import strategies as st

from onchain.services.loss_planner import (
    SITE,
    Key,
    Kind,
    Mishap,
    Mishaps,
    Plan,
    Recovery,
)

PHONE, CLOUD, EMAIL = "device", "provider", "email"
# Every kind of key that there is, as an owner or a guardian.
KINDS = {
    "synced, on this phone": {"provider": CLOUD, "on": frozenset({PHONE})},
    "synced, perhaps on it": {"provider": CLOUD, "perhaps_on": frozenset({PHONE})},
    "synced, of somebody else": {"provider": "theirs"},
    "on one device": {},
    "not in use here": {"is_known": False},
    "wallet": {"kind": Kind.WALLET},
    "wallet of nobody known": {"kind": Kind.WALLET, "is_known": False},
    "contract": {"kind": Kind.CONTRACT},
    "contract on one's word": {"kind": Kind.CONTRACT, "is_known": False},
    "unknown": {"kind": Kind.UNKNOWN, "is_known": False},
}
HAPPENINGS = (None, Mishap.LOST, Mishap.STOLEN)


def key(kind: str, thing: str) -> Key:
    return Key(thing=thing, name=thing, **KINDS[kind])


def keys(kinds: tuple[str, ...], role: str) -> list[Key]:
    return [key(kind, f"{role}-{place}") for place, kind in enumerate(kinds)]


def things_of(plan: Plan) -> list[str]:
    everybody = [*plan.owners, *(k for r in plan.recoveries for k in r.guardians)]
    found = {each.thing for each in everybody} | {SITE}
    found |= {each.provider for each in everybody if each.provider}
    return sorted(found.union(*(each.on | each.perhaps_on for each in everybody)))


def every_mishap(plan: Plan) -> Iterator[Mishaps]:
    things = things_of(plan)
    for each in product(HAPPENINGS, repeat=len(things)):
        yield {thing: what for thing, what in zip(things, each, strict=True) if what}


@st.composite
def plans(draw: st.DrawFn) -> tuple[Plan, Mishaps]:
    some = st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3)
    owners = keys(tuple(draw(some)), "owner")
    recoveries = []
    for place, delay in enumerate(draw(st.sampled_from([(), (3,), (2, 3)]))):
        guardians = keys(tuple(draw(some)), f"guardian-{place}")
        quorum = draw(st.integers(1, len(guardians)))
        recoveries.append(
            Recovery(guardians=guardians, threshold=quorum, delay_seconds=delay)
        )
    plan = Plan(
        owners=owners,
        threshold=draw(st.integers(1, len(owners))),
        recoveries=recoveries,
    )
    things = things_of(plan)
    happened = draw(
        st.lists(
            st.sampled_from(HAPPENINGS), min_size=len(things), max_size=len(things)
        )
    )
    pairs = zip(things, happened, strict=True)
    return plan, {thing: what for thing, what in pairs if what}
