"""Which step is advised against losing things, and that it helps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from onchain.services.loss_advice import (
    DAY,
    Step,
    advised,
    first_danger,
    is_saved,
    score,
    steps_of,
    taken_on,
)
from onchain.services.loss_planner import (
    SITE,
    Channel,
    Mishap,
    Mishaps,
    Plan,
    Recovery,
    answer,
)
from tests.onchain.services.losses import keys, plans

LOST, STOLEN = Mishap.LOST, Mishap.STOLEN
ONE, TWO, THREE = (("on one device",) * count for count in (1, 2, 3))
WALLETS = ("wallet",) * 3


def account(
    owners: tuple[str, ...] = ONE,
    threshold: int = 1,
    guardians: tuple[str, ...] = (),
    quorum: int = 2,
    delay: int = 7 * DAY,
    is_warned: bool = True,
) -> Plan:
    recovery = Recovery(
        guardians=keys(guardians, "guardian"), threshold=quorum, delay_seconds=delay
    )
    return Plan(
        owners=keys(owners, "owner"),
        threshold=threshold,
        recoveries=[recovery] if guardians else [],
        channels=[Channel(name="Anna")] if is_warned else [],
    )


CASES: dict[str, tuple[Plan, Mishaps, Step | None]] = {
    "an only key": (account(), {"owner-0": LOST}, Step.ADD_SIGNER),
    "an only key of a thief": (account(), {"owner-0": STOLEN}, Step.TWO_OF_THREE),
    "one of three of a thief": (
        account(THREE),
        {"owner-0": STOLEN},
        Step.RAISE_THRESHOLD,
    ),
    "one of two of a thief": (account(TWO), {"owner-0": STOLEN}, Step.TWO_OF_THREE),
    "one of two of a thief, guarded": (
        account(TWO, 1, WALLETS),
        {"owner-0": STOLEN},
        Step.RAISE_THRESHOLD,
    ),
    "all must approve, one is lost": (
        account(TWO, 2),
        {"owner-0": LOST},
        Step.ADD_SIGNER,
    ),
    "all of three must, one is lost": (
        account(THREE, 3),
        {"owner-0": LOST},
        Step.ADD_SIGNER,
    ),
    "the one guardian is a thief's": (
        account(TWO, 2, ("wallet",), quorum=1),
        {"owner-0": LOST, "owner-1": LOST, "guardian-0": STOLEN},
        Step.MORE_GUARDIANS,
    ),
    "nobody has seen it sign": (
        account(("on one device", "unknown")),
        {"owner-0": LOST},
        Step.PROVE,
    ),
    "no site and one passkey": (account(), {SITE: LOST}, Step.ADD_WALLET),
    "no site, guardians of it": (
        account(TWO, 2, THREE),
        {SITE: LOST},
        Step.FREE_GUARDIANS,
    ),
    "no site and two of three": (
        account(THREE, 2),
        {SITE: LOST},
        Step.SET_UP_RECOVERY,
    ),
    "guardians are lost too": (
        account(TWO, 2, WALLETS),
        {"owner-0": LOST, "owner-1": LOST, "guardian-0": LOST, "guardian-1": LOST},
        Step.FREE_GUARDIANS,
    ),
    "nobody is warned": (account(TWO, 1, WALLETS, is_warned=False), {}, Step.WARN),
    "three minutes": (account(TWO, 1, WALLETS, delay=180), {}, Step.LONGER_DELAY),
    "nothing is missing": (account(TWO, 1, WALLETS), {}, None),
    "nothing is missing, nobody guards": (account(TWO), {}, None),
}


@pytest.mark.parametrize("name", CASES)
def test_the_advised_step_is_the_simplest_that_saves_the_account(name):
    plan, mishaps, step = CASES[name]

    assert advised(plan, mishaps) == step
    if step not in (None, Step.WARN, Step.LONGER_DELAY):
        assert is_saved(answer(taken_on(plan, step), mishaps))


def test_recovery_is_advised_where_it_is_offered_only():
    plan, mishaps = account(THREE, 2), {SITE: LOST}

    assert advised(plan, mishaps, offers_recovery=True) == Step.SET_UP_RECOVERY
    assert advised(plan, mishaps, offers_recovery=False) is None


@settings(max_examples=300, deadline=None)
@given(plans())
def test_whatever_is_advised_helps_and_nothing_simpler_saves(drawn):
    plan, mishaps = drawn
    before = answer(plan, mishaps)
    step = advised(plan, mishaps)
    if is_saved(before):
        assert step in (None, Step.WARN, Step.LONGER_DELAY)
        return
    steps = steps_of(plan, offers_recovery=True)
    after = {each: answer(taken_on(plan, each), mishaps) for each in steps}
    if step is None:
        assert all(score(found) <= score(before) for found in after.values())
        return
    assert score(after[step]) > score(before)
    simpler = steps[: steps.index(step)]
    assert not any(is_saved(after[each]) for each in simpler)


def test_the_first_danger_is_what_costs_the_account_and_none_where_all_is_survived():
    plan = account(TWO, 2, WALLETS)
    guarded = {"guardian-0": LOST}

    assert first_danger(account(), [{}, {"owner-0": LOST}, {"owner-0": STOLEN}]) == {
        "owner-0": LOST
    }
    assert first_danger(plan, [guarded, {"owner-0": LOST}]) is None
