"""A hundred ask at once: exactly what the limits allow is promised (R57)."""

from __future__ import annotations

import itertools

import pytest

from onchain.models import Chain, Safe, UserOperation
from onchain.models.operation_states import Status
from tests.factories import World, make_world
from tests.onchain.services.sponsor_asks import (
    ask,
    make_funded_world,
    prepared_until_done,
    reserve,
    sponsored,
)
from tests.threads import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

ASKS = 100
# Each thread has a connection of its own, and PostgreSQL takes a hundred from everybody.
THREADS = 25


@pytest.fixture
def worlds(transactional_db: None) -> list[World]:
    return [make_funded_world() for _ in range(THREADS)]


def all_ask(worlds: list[World], wei: int = 1_000) -> list[str | None]:
    """Ask a hundred times, four by each thread; return the answers."""
    requests = [ask(world, wei=wei) for world in worlds for _ in range(ASKS // THREADS)]
    each = iter(requests)
    shares = [list(itertools.islice(each, ASKS // THREADS)) for _ in worlds]

    def some() -> list[str | None]:
        return [reserve(request) for request in shares.pop()]

    return list(itertools.chain.from_iterable(all_at_once(THREADS, some)))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "limit", "reason"),
    [
        ("SPONSOR_DAILY_TOTAL", 5, "used-up"),
        ("SPONSOR_DAILY_TOTAL_WEI", 5_999, "used-up"),
    ],
    ids=["operations", "wei"],
)
def test_of_a_hundred_asks_of_all_accounts_five_are_granted(
    worlds: list[World], settings, name: str, limit: int, reason: str
):
    setattr(settings, name, limit)

    answers = all_ask(worlds)

    assert sorted(answers, key=str) == [None] * 5 + [reason] * 95
    assert sponsored_rows() == 5


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "limit"),
    [("SPONSOR_DAILY_OPERATIONS", 5), ("SPONSOR_DAILY_WEI", 5_999)],
    ids=["operations", "wei"],
)
def test_of_a_hundred_asks_of_one_account_five_are_granted(
    transactional_world: World, settings, name: str, limit: int
):
    setattr(settings, name, limit)

    answers = all_ask([transactional_world] * THREADS)

    assert sorted(answers, key=str) == [None] * 5 + ["share-used-up"] * 95
    assert sponsored_rows() == 5


def sponsored_rows() -> int:
    """Return how many drafts moved on, which only the promised ones do here."""
    return UserOperation.objects.filter(status=Status.AWAITING_SIGNATURES).count()


def test_three_proposals_are_granted_however_many_are_asked_at_once(
    transactional_world: World,
):
    Safe.objects.update(threshold=2)

    answers = all_ask([transactional_world] * THREADS)

    assert sorted(answers, key=str) == [None] * 3 + ["proposals-full"] * 97


def test_workers_that_prepare_at_once_keep_to_an_accounts_limit(
    transactional_world: World, settings
):
    world = transactional_world
    settings.SPONSOR_DAILY_OPERATIONS = 3
    drafts = iter([world.draft(value_wei=place) for place in range(8)])

    all_at_once(8, lambda: prepared_until_done(world, next(drafts)))

    assert sponsored() == 3
    assert sponsored_rows() == 8


def test_workers_that_prepare_at_once_keep_to_the_newcomers_half(
    transactional_db: None, settings
):
    each = iter([make_world() for _ in range(10)])
    settings.SPONSOR_DAILY_TOTAL = 8

    all_at_once(10, lambda: next(each).prepare())

    assert sponsored() == 4
    assert Chain.objects.count() == 1
