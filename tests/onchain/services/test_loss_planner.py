"""What losing things means for an account, against everything that could happen."""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import pytest
from hypothesis import given, settings

from onchain.services.loss_planner import (
    SITE,
    Channel,
    End,
    Force,
    Mishap,
    Mishaps,
    Plan,
    Recovery,
    Result,
    answer,
    end_of,
    held,
    taken,
)
from tests.onchain.services import loss_game
from tests.onchain.services.losses import (
    CLOUD,
    EMAIL,
    PHONE,
    every_mishap,
    key,
    keys,
    plans,
    things_of,
)

# With two of each of these, everything is tried.
FEW = ("synced, on this phone", "on one device", "wallet", "unknown")


def require_equal(plan: Plan, mishaps: Mishaps) -> None:
    """Hold the planner's answer against everything that may come of it."""
    found = answer(plan, mishaps)
    possible = loss_game.outcomes(plan, mishaps)
    worst = (found.worst.result.value, found.worst.seconds)
    best = (found.best.result.value, found.best.seconds)
    results = {result for result, _seconds in possible}
    context = (plan, mishaps, found.worst, found.best, possible)
    # It may be as bad and as good as the planner says, and no worse and no better.
    order = ["ours", "nobody", "race", "theirs"]
    rank = {result: place for place, result in enumerate(order)}
    assert max(rank[each] for each in results) <= rank[worst[0]], context
    assert min(rank[each] for each in results) >= rank[best[0]], context
    assert worst in possible, context
    assert best in possible, context
    ours = {seconds for result, seconds in possible if result == "ours"}
    if worst[0] == "ours":
        assert max(ours) == worst[1], context


# --- Against everything that could happen -------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_who_has_the_account_in_the_end_is_what_the_best_play_comes_to(size):
    """One module with so many guardians, every number of keys on both sides."""
    for threshold, guardians in product(range(1, 4), range(1, size + 1) or [1]):
        owners = range(threshold + 1)
        plan = Plan(
            owners=(),
            threshold=threshold,
            recoveries=[Recovery(guardians=(), threshold=guardians, delay_seconds=3)],
        )
        for ours, theirs in product(owners, owners):
            for mine, others in product(range(size + 1), repeat=2):
                module = loss_game.Module(guardians, 3, mine, others)
                rules = loss_game.Rules(threshold, ours, theirs, (module,), "ours")
                end = end_of(
                    plan,
                    ours=Force(owners=ours, guardians=[mine]),
                    theirs=Force(owners=theirs, guardians=[others]),
                )
                assert (end.result, end.seconds) == loss_game.outcome(rules), rules


def test_two_modules_with_two_delays_are_a_race_that_is_foreseen():
    for one, other in product(product(range(3), range(3), (1, 2)), repeat=2):
        plan = Plan(
            owners=(),
            threshold=1,
            recoveries=[
                Recovery(guardians=(), threshold=one[2], delay_seconds=2),
                Recovery(guardians=(), threshold=other[2], delay_seconds=3),
            ],
        )
        modules = (
            loss_game.Module(one[2], 2, one[0], one[1]),
            loss_game.Module(other[2], 3, other[0], other[1]),
        )
        rules = loss_game.Rules(1, 0, 0, modules, "ours")
        end = end_of(
            plan,
            ours=Force(owners=0, guardians=[one[0], other[0]]),
            theirs=Force(owners=0, guardians=[one[1], other[1]]),
        )
        assert (end.result, end.seconds) == loss_game.outcome(rules), rules


@pytest.mark.thorough
def test_every_small_account_and_every_mishap_is_answered_as_it_turns_out():
    """Up to two owners and two guardians of four kinds, every threshold and mishap."""
    seen = 0
    for owner_kinds in (*product(FEW), *combinations_with_replacement(FEW, 2)):
        for guard_kinds in ((), ("wallet",), ("on one device", "wallet")):
            owners = keys(owner_kinds, "owner")
            guardians = keys(guard_kinds, "guardian")
            for threshold in range(1, len(owners) + 1):
                for quorum in range(1, len(guardians) + 1) or [0]:
                    recovery = Recovery(
                        guardians=guardians, threshold=quorum, delay_seconds=3
                    )
                    plan = Plan(
                        owners=owners,
                        threshold=threshold,
                        recoveries=[recovery] if quorum else [],
                    )
                    for mishaps in every_mishap(plan):
                        require_equal(plan, mishaps)
                        seen += 1
    assert seen > 10_000


@settings(max_examples=400, deadline=None)
@given(plans())
def test_larger_accounts_with_all_kinds_of_keys_are_answered_as_they_turn_out(drawn):
    require_equal(*drawn)


@settings(max_examples=200, deadline=None)
@given(plans())
def test_a_further_mishap_never_makes_anything_better(drawn):
    plan, mishaps = drawn
    order = [Result.OURS, Result.NOBODY, Result.RACE, Result.THEIRS]
    for thing in things_of(plan):
        if thing in mishaps:
            continue
        for what in Mishap:
            more = answer(plan, {**mishaps, thing: what})
            now = answer(plan, mishaps)
            assert more.ours.reached <= now.ours.reached
            assert more.theirs.reached >= now.theirs.reached
            if now.worst.result != Result.THEIRS:
                continue
            assert order.index(more.worst.result) >= order.index(now.worst.result)


# --- In particular ------------------------------------------------------------------------


def test_where_a_key_is_decides_who_has_it(subtests):
    lost, stolen = Mishap.LOST, Mishap.STOLEN
    cases = {
        # kind of key, what happened, whether we have it, whether the thief does
        "its phone is lost": ("synced, on this phone", {PHONE: lost}, 2, 0),
        "its phone is stolen": ("synced, on this phone", {PHONE: stolen}, 2, 2),
        "its provider is lost": ("synced, on this phone", {CLOUD: lost}, 1, 0),
        "its provider is stolen": ("synced, on this phone", {CLOUD: stolen}, 1, 2),
        "both are lost": (
            "synced, on this phone",
            {PHONE: lost, CLOUD: lost},
            0,
            0,
        ),
        "the phone may have had it": ("synced, perhaps on it", {PHONE: stolen}, 2, 1),
        "somebody's provider": ("synced, of somebody else", {"theirs": lost}, 1, 0),
        "its device is lost": ("on one device", {"it": lost}, 0, 0),
        "its device is stolen": ("on one device", {"it": stolen}, 0, 2),
        "the site is gone": ("on one device", {SITE: lost}, 0, 0),
        "the site is false": ("on one device", {SITE: stolen}, 0, 1),
        "no site, a wallet": ("wallet", {SITE: lost}, 2, 0),
        "a false site, a wallet": ("wallet", {SITE: stolen}, 2, 0),
        "no site, a contract": ("contract", {SITE: lost}, 1, 0),
        "nothing, unknown": ("unknown", {}, 1, 0),
        "unknown and stolen": ("unknown", {"it": stolen}, 0, 1),
        "mail opens nothing": ("wallet", {EMAIL: stolen}, 2, 0),
    }
    for name, (kind, mishaps, ours, theirs) in cases.items():
        with subtests.test(name):
            one = key(kind, "it")
            assert (held(one, mishaps), taken(one, mishaps)) == (ours, theirs)


def test_one_stolen_passkey_takes_all_of_one_of_two_and_nothing_of_two_of_two():
    owners = keys(("on one device", "on one device"), "owner")
    guardians = keys(("wallet",) * 3, "guardian")
    recoveries = [Recovery(guardians=guardians, threshold=2, delay_seconds=7)]
    stolen = {"owner-0": Mishap.STOLEN}

    one = Plan(owners=owners, threshold=1, recoveries=recoveries)
    two = Plan(owners=owners, threshold=2, recoveries=recoveries)

    assert answer(one, stolen).worst == End(result=Result.RACE)
    assert answer(two, stolen).worst == End(result=Result.OURS, seconds=7)


def test_who_is_warned_depends_on_the_address_and_on_the_site():
    channels = [Channel(name="you", thing=EMAIL), Channel(name="Anna")]
    plan = Plan(owners=[], threshold=1, channels=channels)

    assert answer(plan, {}).warned == ["you", "Anna"]
    assert answer(plan, {EMAIL: Mishap.STOLEN}).warned == ["Anna"]
    assert answer(plan, {SITE: Mishap.LOST}).warned == []
