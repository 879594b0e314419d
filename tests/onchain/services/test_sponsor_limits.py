"""The sponsor's limits: what counts, for how long, and who may have it (R57, R69)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onchain.models import Chain, Safe, Sponsorship, UserOperation
from onchain.models.operation_states import Status
from onchain.services import rewinding, sponsor_limits, sponsor_usage
from tests.factories import World, make_world
from tests.onchain.services.happenings import BLOCK, happen, outcome
from tests.onchain.services.plans import plan_of
from tests.onchain.services.sponsor_asks import (
    ask,
    make_deposit,
    make_funded_world,
    make_old,
    reasons,
    reserve,
    sponsored,
)


@pytest.fixture
def world(db: None) -> World:
    return make_funded_world()


# --- Each limit, to the last operation and the last wei ---------------------------------


def test_an_accounts_operations_are_limited(world: World, settings):
    settings.SPONSOR_DAILY_OPERATIONS = 3

    ops = [world.prepare() for _ in range(5)]

    assert reasons(*ops) == ["", "", "", "share-used-up", "share-used-up"]


def test_the_operations_of_all_accounts_are_limited(world: World, settings):
    settings.SPONSOR_DAILY_TOTAL = 3
    other = make_funded_world()

    ops = [one.prepare() for one in (world, other) * 2]

    assert reasons(*ops) == ["", "", "", "used-up"]


def test_an_accounts_limit_is_its_own(world: World, settings):
    settings.SPONSOR_DAILY_OPERATIONS = 1
    world.prepare()

    assert make_world().prepare().is_sponsored


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("SPONSOR_DAILY_WEI", "share-used-up"),
        ("SPONSOR_DAILY_TOTAL_WEI", "used-up"),
    ],
)
def test_wei_are_limited_to_the_last_one(world: World, settings, name, reason):
    cost = world.prepare().max_cost_wei

    setattr(settings, name, 2 * cost)
    assert reasons(world.prepare()) == [""]
    setattr(settings, name, 3 * cost - 1)
    assert reasons(world.prepare()) == [reason]
    setattr(settings, name, 3 * cost)
    assert reasons(world.prepare()) == [""]


def test_the_caps_for_one_operation_are_exact(world: World, settings):
    op = world.prepare()
    gas = op.max_cost_wei // op.max_fee_per_gas

    settings.SPONSOR_OPERATION_WEI = op.max_cost_wei
    settings.SPONSOR_OPERATION_GAS = gas
    assert reasons(world.prepare()) == [""]
    settings.SPONSOR_OPERATION_WEI = op.max_cost_wei - 1
    assert reasons(world.prepare()) == ["too-dear"]
    settings.SPONSOR_OPERATION_WEI = op.max_cost_wei
    settings.SPONSOR_OPERATION_GAS = gas - 1
    assert reasons(world.prepare()) == ["too-dear"]


def test_sums_beyond_64_bits_are_exact(world: World):
    most = 2**63 - 1
    requests = [ask(world) for _ in range(3)]
    assert [reserve(request) for request in requests] == [None] * 3
    for place, row in enumerate(Sponsorship.objects.all()):
        Sponsorship.objects.filter(pk=row.pk).update(reserved_wei=most - place)

    used = sponsor_usage.today(chain=world.chain, safe=world.wallet.safe)

    assert used.total.wei == used.account.wei == used.open_wei == 3 * most - 3


def test_the_sums_read_an_index_and_not_the_table(world: World):
    with CaptureQueriesContext(connection) as queries:
        sponsor_usage.today(chain=world.chain, safe=world.wallet.safe)

    sums = [query["sql"] for query in queries if "SUM" in query["sql"]]
    plans = [plan_of(sql) for sql in sums]
    assert len(plans) == 2
    assert "COVERING INDEX onchain_sponsorship_paid" in plans[0]
    assert "INDEX onchain_sponsorship_open" in plans[1]


# --- What counts, and for how long ------------------------------------------------------


@pytest.mark.parametrize("succeeded", [True, False], ids=["included", "reverted"])
def test_an_included_operation_counts_at_its_cost(world: World, succeeded: bool):
    op = world.submit()
    assert sponsor_usage.today(chain=world.chain).total.wei == op.max_cost_wei

    happen(world, outcome(op, cost_wei=7, succeeded=succeeded))

    used = sponsor_usage.today(chain=world.chain, safe=world.wallet.safe)
    assert (used.total.operations, used.total.wei) == (1, 7)
    assert used.account == used.total
    assert used.open_wei == 0


def test_a_reorg_counts_an_operation_at_its_most_again(world: World):
    op = world.submit()
    happen(world, outcome(op, cost_wei=7))

    rewinding.rewind(chain=world.chain, fork_number=BLOCK - 1)

    used = sponsor_usage.today(chain=world.chain)
    assert used.total.wei == used.open_wei == op.max_cost_wei


def test_no_log_makes_it_cost_more_than_was_promised(world: World):
    op = world.submit()

    happen(world, outcome(op, cost_wei=2**200))

    assert sponsor_usage.today(chain=world.chain).total.wei == op.max_cost_wei


@pytest.mark.parametrize(("after", "is_free"), [(-1, False), (0, False), (1, True)])
@pytest.mark.parametrize(
    "status", [Status.WITHDRAWN, Status.EXPIRED, Status.SUBMITTED, Status.REJECTED]
)
def test_what_was_not_included_counts_until_it_cannot_be(
    world: World, settings, status: str, after: int, is_free: bool
):
    settings.SPONSOR_DAILY_OPERATIONS = 1
    op = world.prepare()
    UserOperation.objects.update(status=status)
    world.confirm_time(op.valid_until + after)

    assert world.prepare().is_sponsored == is_free


def test_while_the_chains_time_is_not_known_everything_counts(world: World, settings):
    settings.SPONSOR_DAILY_OPERATIONS = 1
    op = world.prepare()
    world.confirm_time(op.valid_until + 1)
    Chain.objects.update(confirmed_timestamp=None)

    assert reasons(world.prepare()) == ["share-used-up"]


def test_what_yesterday_paid_for_does_not_count(world: World, settings):
    settings.SPONSOR_DAILY_OPERATIONS = 1
    op = world.submit()
    happen(world, outcome(op))
    assert reasons(world.prepare()) == ["share-used-up"]

    before = sponsor_usage.midnight() - timedelta(microseconds=1)
    Sponsorship.objects.update(paid_at=before)

    assert reasons(world.prepare()) == [""]


def test_what_was_promised_yesterday_and_is_open_counts_today(world: World, settings):
    settings.SPONSOR_DAILY_OPERATIONS = 1
    world.prepare()
    Sponsorship.objects.update(created_at=timezone.now() - timedelta(days=1))

    assert reasons(world.prepare()) == ["share-used-up"]


def test_a_draft_that_was_withdrawn_meanwhile_is_promised_nothing(world: World):
    request = ask(world)
    UserOperation.objects.update(status=Status.WITHDRAWN)

    assert reserve(request) is None
    assert sponsored() == 0


# --- Newcomers --------------------------------------------------------------------------


def test_newcomers_have_half_of_the_operations(world: World, settings):
    settings.SPONSOR_DAILY_TOTAL = 4
    newcomer = make_world()

    ops = [newcomer.prepare() for _ in range(3)]
    others = [world.prepare() for _ in range(3)]

    assert reasons(*ops) == ["", "", "newcomers-used"]
    assert reasons(*others) == ["", "", "used-up"]


def test_newcomers_have_half_of_the_wei(world: World, settings):
    newcomer = make_world()
    cost = newcomer.prepare().max_cost_wei

    settings.SPONSOR_DAILY_TOTAL_WEI = 4 * cost - 1
    assert reasons(newcomer.prepare()) == ["newcomers-used"]
    settings.SPONSOR_DAILY_TOTAL_WEI = 4 * cost
    assert reasons(newcomer.prepare()) == [""]


def test_the_older_half_is_not_kept_from_the_others(world: World, settings):
    settings.SPONSOR_DAILY_TOTAL = 4

    assert reasons(*(world.prepare() for _ in range(5))) == [*[""] * 4, "used-up"]


@pytest.mark.parametrize(("days", "is_newcomer"), [(6, True), (7, False)])
def test_an_account_is_new_for_a_week(db, days: int, is_newcomer: bool):
    world = make_world()
    make_old(world, days)

    safe = Safe.objects.get(pk=world.wallet.safe.pk)
    assert sponsor_limits.is_newcomer(safe) == is_newcomer


@pytest.mark.parametrize(
    ("balance_wei", "block", "is_newcomer"),
    [(1, 100, False), (0, 100, True), (1, None, True)],
    ids=["funded", "empty", "not read from the chain"],
)
def test_an_account_with_money_is_no_newcomer(db, balance_wei, block, is_newcomer):
    safe = make_world().wallet.safe
    safe.balance_wei, safe.synced_at_block = balance_wei, block

    assert sponsor_limits.is_newcomer(safe) == is_newcomer


# --- The safety reserve. R69 ------------------------------------------------------------


@pytest.fixture
def payments_are_safety(monkeypatch):
    kinds = frozenset({UserOperation.Kind.PAYMENT})
    monkeypatch.setattr(sponsor_limits, "SAFETY_KINDS", kinds)


def test_what_keeps_accounts_safe_is_sponsored_when_nothing_else_is(
    world: World, settings, payments_are_safety
):
    settings.SPONSOR_DAILY_OPERATIONS = settings.SPONSOR_DAILY_TOTAL = 0
    settings.SPONSOR_DAILY_WEI = settings.SPONSOR_DAILY_TOTAL_WEI = 0
    settings.SPONSOR_OPERATION_WEI = settings.SPONSOR_OPERATION_GAS = 0
    Chain.objects.update(sponsorship_paused=True)
    world.node.account_balances[world.wallet.safe.address] = 0

    op = world.prepare(world.draft(value_wei=0))

    assert (op.status, op.is_sponsored) == (Status.AWAITING_SIGNATURES, True)
    used = sponsor_usage.today(chain=world.chain, safe=world.wallet.safe)
    assert used.safety.wei == op.max_cost_wei
    assert used.total.operations == used.account.operations == 0


def test_the_safety_reserve_ends_too(world: World, settings, payments_are_safety):
    cost = world.prepare().max_cost_wei
    settings.SPONSOR_DAILY_TOTAL = 0
    settings.SPONSOR_SAFETY_ACCOUNT_WEI = 2 * cost

    settings.SPONSOR_SAFETY_WEI = 2 * cost - 1
    assert reasons(world.prepare()) == ["used-up"]
    settings.SPONSOR_SAFETY_WEI = 2 * cost
    assert reasons(world.prepare()) == [""]


def test_one_account_cannot_use_up_the_safety_reserve(
    world: World, settings, payments_are_safety
):
    cost = world.prepare().max_cost_wei
    settings.SPONSOR_DAILY_TOTAL = 0

    settings.SPONSOR_SAFETY_ACCOUNT_WEI = 2 * cost - 1
    assert reasons(world.prepare()) == ["used-up"]
    settings.SPONSOR_SAFETY_ACCOUNT_WEI = 2 * cost
    assert reasons(world.prepare(), world.prepare()) == ["", "used-up"]

    assert make_world().prepare().sponsorship.pool == Sponsorship.Pool.SAFETY


def test_beyond_the_safety_reserve_the_ordinary_limits_serve(
    world: World, settings, payments_are_safety
):
    settings.SPONSOR_SAFETY_WEI = 0

    assert world.prepare().sponsorship.pool == Sponsorship.Pool.ESTABLISHED


def test_the_safety_reserve_is_for_what_takes_power_away():
    kind = UserOperation.Kind
    assert {
        *(kind.CANCEL, kind.REMOVE_OWNER, kind.SWAP_OWNER, kind.DISABLE_MODULE),
        *(kind.CANCEL_RECOVERY, kind.REVOKE_GUARDIAN, kind.REMOVE_RECOVERY),
    } == sponsor_limits.SAFETY_KINDS


def test_payments_never_touch_the_safety_reserve(world: World):
    assert world.prepare().sponsorship.pool == Sponsorship.Pool.ESTABLISHED


# --- The switch, and the deposit --------------------------------------------------------


def test_a_pause_stops_new_promises_and_leaves_the_given_ones(world: World):
    before = world.prepare()
    Chain.objects.update(sponsorship_paused=True)

    assert reasons(world.prepare()) == ["paused"]
    assert world.submit(world.sign(before)).status == Status.SUBMITTED


def test_a_pause_asks_the_bundler_once(world: World):
    Chain.objects.update(sponsorship_paused=True)

    world.prepare()

    assert world.bundler.calls == ["estimate"]


def test_the_deposit_covers_all_promises_and_the_safety_reserve(world: World, settings):
    settings.SPONSOR_SAFETY_WEI = 1_000_000
    cost = world.prepare().max_cost_wei
    deposit = make_deposit(world, 2 * cost + 1_000_000 - 1)

    assert reasons(world.prepare()) == ["deposit-low"]
    type(deposit).objects.update(deposit_wei=2 * cost + 1_000_000)
    assert reasons(world.prepare()) == [""]


def test_the_safety_reserve_may_take_the_last_of_the_deposit(
    world: World, payments_are_safety
):
    cost = world.prepare().max_cost_wei
    make_deposit(world, 2 * cost)

    assert reasons(world.prepare()) == [""]
    assert reasons(world.prepare()) == ["deposit-low"]


def test_a_paymaster_that_trusts_another_key_pays_for_nobody(world: World):
    make_deposit(world, 10**18, accepts_our_key=False)

    assert reasons(world.prepare()) == ["unusable"]


# --- Proposals: what several have to sign -----------------------------------------------


@pytest.fixture
def shared_world(world: World) -> World:
    """An account that two have to sign for."""
    Safe.objects.filter(pk=world.wallet.safe.pk).update(threshold=2)
    return world


def test_three_proposals_of_an_account_are_sponsored(shared_world: World):
    asked = [reserve(ask(shared_world)) for _ in range(4)]

    assert asked == [None, None, None, "proposals-full"]
    assert set(Sponsorship.objects.values_list("signers", flat=True)) == {2}


def test_a_proposals_cost_is_reserved_until_its_end_has_passed(shared_world: World):
    week = 7 * 86_400
    end = shared_world.node.blocks[-1].timestamp + week
    for _ in range(3):
        assert reserve(ask(shared_world, valid_until=end, wei=5)) is None

    shared_world.confirm_time(end)
    assert sponsor_usage.today(chain=shared_world.chain).open_wei == 15
    assert reserve(ask(shared_world)) == "proposals-full"
    shared_world.confirm_time(end + 1)
    assert sponsor_usage.today(chain=shared_world.chain).open_wei == 0
    assert reserve(ask(shared_world, valid_until=end + week)) is None


def test_an_included_proposal_makes_room_for_another(shared_world: World):
    requests = [ask(shared_world) for _ in range(4)]
    assert [reserve(request) for request in requests[:3]] == [None] * 3

    Sponsorship.objects.filter(operation=requests[0].op).update(
        paid_wei=1, paid_at=timezone.now()
    )

    assert reserve(requests[3]) is None


def test_operators_can_leave_proposals_to_their_accounts(shared_world: World, settings):
    settings.SPONSOR_PROPOSALS = False

    assert reserve(ask(shared_world)) == "proposals-off"
    assert reserve(ask(make_world())) is None


def test_a_prepared_proposal_is_sponsored_for_its_own_life(shared_world: World):
    op = shared_world.prepare()

    assert op.sponsorship.valid_until == op.valid_until
    assert op.sponsorship.reserved_wei == op.max_cost_wei
