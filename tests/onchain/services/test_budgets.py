"""The relayer's budgets: exact in wei, by the day, whoever asks at the same moment."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from onchain.clients.node_types import Receipt
from onchain.errors import NotNow, OverBudget
from onchain.models import Budget, JournalEntry, RelayerTransaction, Safe
from onchain.protocol.safe import direct_setup
from onchain.services import (
    broadcasting,
    budgets,
    deployment_batches,
    follower,
    inclusion,
    network_quotas,
    pauses,
    relayer,
    relaying,
    replacement,
    rewinding,
)
from tests.factories import (
    PAYEE,
    RELAYER_KEY,
    World,
    make_operator,
    make_queued_wallet,
    make_relayer_transaction,
)
from tests.fakes import BASE_FEE_WEI, TIP_WEI
from tests.threads import all_at_once

ACCOUNT = relayer.account_of(RELAYER_KEY)
Pool = Budget.Pool
GAS = 400_000 * 120 // 100  # what the fake node estimates, with the margin
MOST = GAS * (2 * BASE_FEE_WEI + TIP_WEI)  # wei, the most that one batch can cost
COST = 21_000 * BASE_FEE_WEI  # wei, what the fake chain takes for a transaction


def sign_next(world: World) -> RelayerTransaction | None:
    return deployment_batches.sign_next_batch(
        chain=world.chain, node=world.node, account=ACCOUNT
    )


def used(world: World, pool: str = Pool.DEPLOYMENTS) -> int:
    return budgets.used_today(chain=world.chain, pool=pool)


def run(world: World) -> None:
    relaying.run(chain=world.chain, node=world.node, account=ACCOUNT)


def mine(world: World) -> None:
    world.node.mine()
    follower.advance(chain=world.chain, node=world.node)


def queue(count: int = 1, **fields) -> list[Safe]:
    return [make_queued_wallet(**fields).safe for _ in range(count)]


def pause(world: World, actor: User, *, is_paused: bool = True) -> bool:
    return pauses.set_paused(
        chain=world.chain,
        switch=pauses.Switch.DEPLOYMENTS,
        is_paused=is_paused,
        actor=actor,
    )


# --- Promised, then spent ---------------------------------------------------------------


def test_what_is_signed_is_promised_and_what_is_mined_is_spent(world: World):
    queue()
    run(world)
    assert used(world) == MOST

    mine(world)

    assert used(world) == COST
    assert RelayerTransaction.objects.get().charged_wei == COST


def test_settling_twice_counts_once(world: World):
    queue()
    row = sign_next(world)

    for _ in range(2):
        budgets.settle(row=row, cost_wei=5)

    assert used(world) == 5


def test_a_failed_deployment_counts_what_it_burned(world: World):
    queue()
    row = sign_next(world)

    receipt = Receipt(block_number=101, succeeded=False, gas_used=9, fee_wei=77)
    inclusion.apply_receipt(row=row, receipt=receipt)

    assert used(world) == 77


def test_a_transaction_that_no_node_takes_costs_nothing(world: World):
    queue()
    row = sign_next(world)
    world.node.transaction_counts[relayer.sender_of(ACCOUNT)] = 9

    broadcasting.broadcast(row=row, node=world.node)

    assert used(world) == 0


def test_a_reorg_promises_it_again(world: World):
    queue()
    run(world)
    mine(world)

    rewinding.rewind(chain=world.chain, fork_number=100)

    assert used(world) == MOST


def test_a_replacement_promises_its_higher_fees(world: World):
    queue()
    run(world)
    long_ago = timezone.now() - timedelta(seconds=120)
    RelayerTransaction.objects.update(broadcast_at=long_ago)

    replacement.replace_stuck(chain=world.chain, node=world.node, account=ACCOUNT)

    row = RelayerTransaction.objects.get()
    assert used(world) == row.max_fee_wei > MOST


def test_yesterdays_promise_is_settled_on_yesterday(world: World):
    queue()
    row = sign_next(world)
    yesterday = budgets.today() - timedelta(days=1)
    Budget.objects.update(day=yesterday)

    budgets.settle(row=row, cost_wei=3)

    assert used(world) == 0
    assert Budget.objects.get(day=yesterday).used_wei == 3


# --- The limit --------------------------------------------------------------------------


def test_the_last_wei_of_a_budget_can_be_promised(world: World, settings):
    settings.DEPLOY_DAILY_WEI = MOST
    queue()

    assert sign_next(world) is not None
    assert used(world) == MOST


def test_a_wei_less_and_the_account_waits_until_tomorrow(
    world: World, settings, monkeypatch
):
    settings.DEPLOY_DAILY_WEI = MOST - 1
    (safe,) = queue()

    run(world)

    assert used(world) == 0
    assert budgets.is_used_up(chain=world.chain, pool=Pool.DEPLOYMENTS)
    safe.refresh_from_db()
    assert (safe.status, safe.deployment_attempts, safe.failure_code) == (
        *("queued", 0, ""),
    )
    settings.DEPLOY_DAILY_WEI = MOST
    tomorrow = budgets.today() + timedelta(days=1)
    monkeypatch.setattr(budgets, "today", lambda: tomorrow)
    assert sign_next(world) is not None


def test_a_used_up_budget_is_not_asked_at_every_round(world: World, settings):
    settings.DEPLOY_DAILY_WEI = 0
    queue()
    run(world)
    world.node.calls.clear()

    run(world)

    assert "estimate_gas" not in world.node.calls


def test_a_batch_is_halved_until_it_fits_the_budget(world: World, settings):
    per_account = 300_000
    world.node.estimate_gas = lambda **asked: per_account * accounts_in(asked["data"])
    settings.DEPLOY_DAILY_WEI = MOST * 2
    queue(8)

    row = sign_next(world)

    assert row.safes.count() == 2
    assert used(world) <= settings.DEPLOY_DAILY_WEI


def accounts_in(data: bytes) -> int:
    return data.count(bytes.fromhex("1688f0b9"))  # createProxyWithNonce


def test_a_call_that_is_relayed_has_a_budget_of_its_own(world: World, settings):
    settings.DEPLOY_DAILY_WEI = 0
    make_relayer_transaction(chain=world.chain, **CALL)

    run(world)

    assert used(world, Pool.RELAYS) == 300_000 * (2 * BASE_FEE_WEI + TIP_WEI)


CALL = {"purpose": "relay", "value_wei": 0, "data": b"\1", "gas_limit": 300_000}


def test_a_call_over_the_budget_waits_and_says_so(world: World, settings):
    settings.RELAY_DAILY_WEI = 0
    row = make_relayer_transaction(chain=world.chain, **CALL)

    with pytest.raises(OverBudget, match="relays"):
        run(world)

    row.refresh_from_db()
    assert (row.status, row.nonce) == ("queued", None)
    assert budgets.is_used_up(chain=world.chain, pool=Pool.RELAYS)


# R69
def test_safety_goes_out_when_all_else_is_exhausted_paused_and_dear(
    world: World, settings
):
    settings.DEPLOY_DAILY_WEI = settings.RELAY_DAILY_WEI = 0
    settings.MAX_FEE_PER_GAS = BASE_FEE_WEI // 2
    pause(world, make_operator())
    queue()
    plain = make_relayer_transaction(chain=world.chain, **CALL)
    safety = make_relayer_transaction(chain=world.chain, is_safety=True, **CALL)

    with pytest.raises(NotNow):
        run(world)

    plain.refresh_from_db()
    safety.refresh_from_db()
    assert (plain.status, safety.status) == ("queued", "broadcast")
    assert used(world, Pool.SAFETY) == safety.max_fee_wei > 0


def test_safety_leaves_its_reserve_alone_while_there_is_other_room(world: World):
    make_relayer_transaction(chain=world.chain, is_safety=True, **CALL)

    run(world)

    assert used(world, Pool.SAFETY) == 0
    assert used(world, Pool.RELAYS) > 0


def test_the_reserve_ends_too(world: World, settings):
    settings.RELAY_DAILY_WEI = settings.SAFETY_RESERVE_WEI = 0
    make_relayer_transaction(chain=world.chain, is_safety=True, **CALL)

    with pytest.raises(OverBudget, match="safety"):
        run(world)


def test_a_filled_gap_needs_no_budget(world: World, settings):
    settings.RELAY_DAILY_WEI = 0
    row = make_relayer_transaction(chain=world.chain, purpose="fill", value_wei=0)

    run(world)

    row.refresh_from_db()
    assert (row.status, row.budget, row.charged_wei) == ("broadcast", None, 0)


@pytest.mark.thorough
def test_ten_thousand_registrations_spend_at_most_the_cap(
    world: World, settings, monkeypatch
):
    settings.DEPLOY_DAILY_WEI = 5 * 10**16
    settings.DEPLOYMENT_BATCH = 10
    monkeypatch.setattr(budgets, "ASK_AGAIN_SECONDS", 0)
    world.node.estimate_gas = lambda **asked: 361_000 * accounts_in(asked["data"])
    world.node.gas_used = 10**9  # all that each may use
    register(world, 10_000)

    while RelayerTransaction.objects.in_flight().exists() or not budgets.is_used_up(
        chain=world.chain, pool=Pool.DEPLOYMENTS
    ):
        run(world)
        assert used(world) <= settings.DEPLOY_DAILY_WEI
        mine(world)

    fees = [receipt.fee_wei for receipt in world.node.mined.values()]
    assert settings.DEPLOY_DAILY_WEI * 9 // 10 < sum(fees) == used(world)
    assert sum(fees) <= settings.DEPLOY_DAILY_WEI
    assert Safe.objects.filter(status="queued").count() > 9_000


def register(world: World, count: int) -> None:
    """Store accounts as that many registrations from 500 networks leave them."""
    setup, chain = direct_setup(owners=[PAYEE], threshold=1), world.chain
    Safe.objects.bulk_create(
        Safe(
            chain=chain,
            created_by=world.wallet.user,
            name="Account 1",
            address=number.to_bytes(20, "big"),
            salt_nonce=number,
            verifiers=1,
            setup_data=setup,
            deployment_requested_at=timezone.now(),
            network_hash=(number % 500).to_bytes(32, "big"),
        )
        for number in range(1, count + 1)
    )


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_parallel_workers_promise_no_more_than_the_limit(
    transactional_world: World, settings
):
    world = transactional_world
    settings.RELAY_DAILY_WEI = 3 * 300_000 * (2 * BASE_FEE_WEI + TIP_WEI) + 1
    rows = [make_relayer_transaction(chain=world.chain, **CALL) for _ in range(10)]

    def sign() -> None:
        for row in rows:
            fresh = RelayerTransaction.objects.select_related("chain").get(pk=row.pk)
            if fresh.status != "queued":
                continue
            try:
                relayer.sign_queued(row=fresh, node=world.node, account=ACCOUNT)
            except NotNow:
                continue

    for _ in range(3):
        all_at_once(5, sign)

    assert RelayerTransaction.objects.filter(status="signed").count() == 3
    assert used(world, Pool.RELAYS) == settings.RELAY_DAILY_WEI - 1


# --- Pause ------------------------------------------------------------------------------


def test_an_operators_pause_holds_new_accounts_and_is_written_down(world: World):
    queue()
    actor = make_operator()

    assert pause(world, actor)
    assert not pause(world, actor)
    run(world)
    assert not RelayerTransaction.objects.exists()

    assert pause(world, actor, is_paused=False)
    run(world)
    assert RelayerTransaction.objects.get().status == "broadcast"
    entries = JournalEntry.objects.order_by("pk").values_list("action", "actor")
    assert list(entries) == [
        ("pause-deployments", actor.pk),
        ("resume-deployments", actor.pk),
    ]


def test_an_account_that_somebody_else_made_is_live_despite_pause_and_budget(
    world: World, settings
):
    settings.DEPLOY_DAILY_WEI = 0
    first, *_others, last = queue(60)
    pause(world, make_operator())
    world.node.deploy(last)
    Safe.objects.filter(pk=last.pk).update(noticed_block=101)

    run(world)

    last.refresh_from_db()
    first.refresh_from_db()
    assert (last.status, first.status) == ("deployed", "queued")


# --- Networks. R68 ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:1:2::/64", "2001:db8:1:ffff::/64", True),
        ("2001:db8:1::/64", "2001:db8:2::/64", False),
        ("unknown", "unknown", True),
        ("unknown", "192.0.2.1", False),
    ],
)
def test_a_network_is_a_24_or_a_48(one: str, other: str, is_same: bool):
    hashes = {network_quotas.network_hash(one), network_quotas.network_hash(other)}

    assert (len(hashes) == 1) is is_same
    assert {len(item) for item in hashes} == {32}


def test_the_hash_needs_the_sites_key(settings):
    before = network_quotas.network_hash("192.0.2.1")
    settings.SECRET_KEY = "another"

    assert network_quotas.network_hash("192.0.2.1") != before


def test_a_networks_accounts_wait_for_tomorrow_and_others_pass_them(
    world: World, settings, monkeypatch
):
    settings.DEPLOY_PREFIX_DAILY = 2
    settings.DEPLOYMENT_BATCH = 3
    crowd = queue(5, network_hash=b"\1" * 32)
    (alone,) = queue(network_hash=b"\2" * 32)
    (older,) = queue()

    run(world)

    for safe in (*crowd, alone, older):
        safe.refresh_from_db()
    assert [safe.status for safe in crowd] == ["broadcast"] * 2 + ["queued"] * 3
    assert (alone.status, older.status) == ("broadcast", "broadcast")
    assert network_quotas.is_used_up(safe=crowd[4])
    assert not network_quotas.is_used_up(safe=older)
    tomorrow = budgets.today() + timedelta(days=1)
    monkeypatch.setattr(network_quotas, "today", lambda: tomorrow)
    run(world)
    crowd[3].refresh_from_db()
    assert crowd[3].status == "broadcast"


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_parallel_workers_take_no_more_places_than_there_are(
    transactional_world: World, settings
):
    world = transactional_world
    settings.DEPLOY_PREFIX_DAILY = 2
    settings.DEPLOYMENT_BATCH = 1
    queue(6, network_hash=b"\1" * 32)

    for _ in range(3):
        all_at_once(5, lambda: sign_next(world))

    assert Safe.objects.filter(status="broadcast").count() == 2


def test_networks_are_forgotten_and_a_flood_then_waits_for_payments(
    world: World, settings
):
    settings.DEPLOY_PREFIX_DAILY = 1
    flood = queue(2, network_hash=b"\1" * 32)
    (calm,) = queue(network_hash=b"\2" * 32)
    (young,) = queue(network_hash=b"\1" * 32)
    sign_next(world)
    old = timezone.now() - timedelta(days=2, seconds=1)
    Safe.objects.exclude(pk=young.pk).update(created_at=old)

    network_quotas.forget()

    for safe in (*flood, calm, young):
        safe.refresh_from_db()
    assert [safe.network_hash for safe in (*flood, calm)] == [None] * 3
    assert young.network_hash == b"\1" * 32
    assert flood[1].deployment_requested_at is None
    assert calm.deployment_requested_at is not None
    assert young.deployment_requested_at is not None


def test_quotas_of_older_days_are_deleted(world: World, monkeypatch):
    queue(network_hash=b"\1" * 32)
    sign_next(world)
    monkeypatch.setattr(network_quotas, "today", lambda: date(2100, 1, 1))

    network_quotas.forget()

    assert not network_quotas.NetworkQuota.objects.exists()
