"""Reading the chain: in order, in ranges, and one reader at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.models import Block, Chain, RelayerTransaction, Safe
from onchain.models.operation_states import Status
from onchain.services import broadcasting, follower, relayer
from tests.factories import (
    ETHER,
    RELAYER_KEY,
    World,
    make_relayer_transaction,
)
from tests.onchain.services.happenings import (
    chain_of,
    follow,
    known,
    outcome,
    payment_to,
)
from tests.onchain.services.plans import plan_of

# --- Moving forward ---------------------------------------------------------------------


def test_a_new_follower_begins_at_the_head(world: World):
    for _ in range(5):
        world.node.mine()

    follow(world)

    assert known(world) == chain_of(world, 1)


def test_a_new_follower_begins_where_it_is_told_to(world: World, settings):
    settings.START_BLOCK = 102
    for _ in range(5):
        world.node.mine()

    follow(world)

    assert known(world) == chain_of(world, 4)


def test_the_next_block_is_read_in_two_requests(world: World):
    follow(world)
    world.node.mine()
    world.node.calls.clear()

    follower.advance(chain=world.chain, node=world.node)

    asked = [call.split()[0] for call in world.node.calls]
    assert asked[:2] == ["chain_id_and_head", "blocks_with_logs"]
    assert known(world) == chain_of(world, 2)


def test_nothing_new_is_one_request_and_no_write(world: World):
    follow(world)
    world.node.calls.clear()

    assert not follower.advance(chain=world.chain, node=world.node)

    assert world.node.calls == ["chain_id_and_head"]


def test_the_chains_row_follows_the_head(world: World):
    follow(world)
    head = world.node.mine(seconds=12)

    follow(world)

    chain = world.chain
    assert (chain.head_number, chain.head_timestamp) == (head.number, head.timestamp)
    assert chain.confirmed_timestamp == world.node.blocks[-2].timestamp
    assert chain.base_fee_wei == head.base_fee_wei


def test_a_gap_is_read_in_ranges(world: World):
    follow(world)
    for _ in range(120):
        world.node.mine()
    world.node.calls.clear()

    follow(world)

    ranges = [call for call in world.node.calls if call.startswith("blocks_with_logs")]
    assert ranges == [
        "blocks_with_logs 101 150",
        "blocks_with_logs 151 200",
        "blocks_with_logs 201 220",
    ]
    assert known(world) == chain_of(world, 121)


def test_an_event_within_a_gap_is_not_missed(world: World):
    follow(world)
    op = world.submit()
    world.node.mine()
    block = world.node.mine(outcome(op))
    world.node.mine()

    follow(world)

    op = world.fresh(op)
    assert (op.status, op.block_number) == (Status.INCLUDED, block.number)


def test_only_the_newest_hashes_are_kept(world: World):
    follow(world)
    for _ in range(300):
        world.node.mine()

    follow(world)

    assert Block.objects.count() == follower.KEPT_BLOCKS + 1


def test_balances_of_touched_accounts_follow(world: World):
    follow(world)
    safe = world.wallet.safe
    world.node.account_balances[safe.address] = 3 * ETHER
    block = world.node.mine(touched=[safe.address])

    follow(world)

    safe.refresh_from_db()
    assert (safe.balance_wei, safe.synced_at_block) == (3 * ETHER, block.number)


def test_an_operation_expires_when_the_confirmed_head_has_passed_it(world: World):
    op = world.submit()
    follow(world)
    world.node.mine(seconds=601)
    follow(world)
    assert world.fresh(op).status == Status.SUBMITTED

    world.node.mine()
    follow(world)

    assert world.fresh(op).status == Status.EXPIRED


def test_a_mined_transaction_of_the_relayer_is_settled(world: World):
    follow(world)
    row = make_relayer_transaction(chain=world.chain)
    account = relayer.account_of(RELAYER_KEY)
    relayer.sign_queued(row=row, node=world.node, account=account)
    row.refresh_from_db()
    broadcasting.broadcast(row=row, node=world.node)
    block = world.node.mine()

    follow(world)

    row.refresh_from_db()
    assert (row.status, row.block_number) == ("mined", block.number)


# --- R54: one follower at a time --------------------------------------------------------


def test_a_second_follower_waits(world: World):
    assert follower.take_lease(chain=world.chain, name="one")

    assert not follower.take_lease(chain=world.chain, name="two")
    assert follower.take_lease(chain=world.chain, name="one")


def test_a_released_lease_is_free_at_once(world: World):
    follower.take_lease(chain=world.chain, name="one")
    follower.release_lease(chain=world.chain, name="one")

    assert follower.take_lease(chain=world.chain, name="two")


def test_a_lease_cannot_be_released_by_another(world: World):
    follower.take_lease(chain=world.chain, name="one")
    follower.release_lease(chain=world.chain, name="two")

    assert not follower.take_lease(chain=world.chain, name="two")


def test_the_lease_of_a_dead_follower_runs_out(world: World):
    follower.take_lease(chain=world.chain, name="one")
    Chain.objects.update(follower_lease_until=timezone.now() - timedelta(seconds=1))

    assert follower.take_lease(chain=world.chain, name="two")


def test_of_two_followers_at_the_same_block_the_slower_writes_nothing(world: World):
    follow(world)
    op = world.submit()
    world.node.mine(outcome(op))
    ask = world.node.blocks_with_logs

    def overtaken(*args):
        world.node.blocks_with_logs = ask
        follow(world)
        return ask(*args)

    world.node.blocks_with_logs = overtaken

    with pytest.raises(TransientClientError, match="another follower"):
        follower.advance(chain=world.chain, node=world.node)

    assert world.fresh(op).status == Status.INCLUDED
    assert known(world) == chain_of(world, 2)


# --- How often it asks ------------------------------------------------------------------


def test_a_chain_on_which_nobody_waits_is_not_busy(world: World):
    assert not follower.is_busy(chain=world.chain)


@pytest.mark.parametrize("step", ["sign", "submit"])
def test_an_operation_under_way_makes_it_busy(world: World, step: str):
    getattr(world, step)()

    assert follower.is_busy(chain=world.chain)


def test_an_open_review_waits_for_a_person_and_not_for_a_block(world: World):
    world.prepare()

    assert not follower.is_busy(chain=world.chain)


def test_a_stuck_transaction_does_not_keep_it_busy(world: World):
    row = make_relayer_transaction(chain=world.chain, status="broadcast")
    RelayerTransaction.objects.filter(pk=row.pk).update(
        created_at=timezone.now() - timedelta(minutes=6)
    )

    assert not follower.is_busy(chain=world.chain)


# R64: a block is read once, so what it lacks is asked for again.
def test_a_block_without_a_receipt_that_belongs_to_it_is_not_written(world: World):
    follow(world)
    payment = payment_to(world.wallet.safe)
    world.node.mine(payments=[payment])
    del world.node.mined[payment.transaction_hash]

    with pytest.raises(TransientClientError, match="receipt"):
        follower.advance(chain=world.chain, node=world.node)

    assert known(world) == chain_of(world, 2)[:1]


def test_an_open_review_does_not(world: World):
    world.prepare()

    assert not follower.is_busy(chain=world.chain)


def test_a_transaction_that_is_stuck_does_not(world: World):
    make_relayer_transaction(chain=world.chain, status="broadcast")
    RelayerTransaction.objects.update(
        created_at=timezone.now() - timedelta(seconds=follower.BUSY_SECONDS + 1)
    )

    assert not follower.is_busy(chain=world.chain)


@pytest.mark.parametrize(
    ("status", "is_busy"),
    [("queued", False), ("signed", True), ("broadcast", True), ("mined", False)],
)
def test_a_transaction_in_flight_makes_it_busy(world: World, status, is_busy):
    make_relayer_transaction(chain=world.chain, status=status)

    assert follower.is_busy(chain=world.chain) == is_busy


# --- Many accounts ----------------------------------------------------------------------


def test_no_query_of_a_pass_looks_at_every_account(world: World):
    follow(world)
    like = world.wallet.safe
    Safe.objects.bulk_create(
        Safe(
            chain=like.chain,
            created_by=like.created_by,
            name="Account",
            address=number.to_bytes(20, "big"),
            verifiers=0,
            setup_data=b"",
            status=Safe.Status.DEPLOYED,
            owners_synced_block=1,
            synced_at_block=1,
        )
        for number in range(1_000, 3_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as databases do by themselves
    world.node.mine()

    with CaptureQueriesContext(connection) as queries:
        assert follower.advance(chain=world.chain, node=world.node)

    reads = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    scans = [sql for sql in reads if "SCAN onchain_safe" in plan_of(sql)]
    assert reads
    assert scans == []
