"""Reorgs of the chain: noticed, undone, read again (R49)."""

from __future__ import annotations

import pytest

from onchain.errors import ChainNotReady
from onchain.models import Block, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.services import follower
from tests.factories import (
    ETHER,
    World,
    make_queued_wallet,
)
from tests.fake_events import proxy_creation_event
from tests.onchain.services.happenings import (
    chain_of,
    follow,
    known,
    outcome,
    rows,
)


@pytest.mark.parametrize("depth", range(1, 13))
def test_a_reorg_takes_back_what_it_undid(world: World, depth: int):
    follow(world)
    op = world.submit()
    before = rows()
    world.node.mine(outcome(op))
    for _ in range(depth - 1):
        world.node.mine()
    follow(world)
    assert world.fresh(op).status == Status.INCLUDED

    world.node.reorganise(depth)
    for _ in range(depth + 1):
        world.node.mine()
    follow(world)

    assert rows()[0] == before[0]
    assert known(world) == chain_of(world, depth + 2)


@pytest.mark.parametrize("depth", range(1, 13))
def test_a_reorg_that_includes_it_again_gives_the_new_facts(world: World, depth: int):
    follow(world)
    op = world.submit()
    for _ in range(depth):
        world.node.mine(outcome(op))
        follow(world)
        op = world.fresh(op)
    world.node.reorganise(depth)
    world.node.mine()
    block = world.node.mine(outcome(op, cost_wei=99))
    for _ in range(depth):
        world.node.mine()

    follow(world)

    op = world.fresh(op)
    assert (op.status, op.block_number) == (Status.INCLUDED, block.number)
    assert op.actual_gas_cost_wei == 99


def test_a_reorg_leaves_the_rows_that_a_fresh_index_has(world: World):
    follow(world)
    op = world.submit()
    wallet = make_queued_wallet()
    start = rows()
    world.node.mine(outcome(op), proxy_creation_event(wallet.safe.address))
    world.node.mine()
    follow(world)
    world.node.reorganise(2)
    world.node.mine(proxy_creation_event(wallet.safe.address))
    world.node.mine()
    world.node.mine(outcome(op, succeeded=False))
    follow(world)
    after_reorg = rows()

    # Once more from the rows of the start, reading the same chain in one go.
    UserOperation.objects.filter(pk=op.pk).update(
        **{name: start[0][name] for name in start[0] if name not in ("id",)}
    )
    Safe.objects.filter(pk=wallet.safe.pk).update(
        status=Safe.Status.QUEUED, deployed_block=None
    )
    Block.objects.filter(number__gt=100).delete()
    follow(world)

    assert rows() == after_reorg


def test_a_balance_that_a_reorg_undid_is_read_again(world: World):
    follow(world)
    safe = world.wallet.safe
    world.node.account_balances[safe.address] = 5 * ETHER
    world.node.mine(touched=[safe.address])
    follow(world)
    world.node.reorganise(1)
    world.node.account_balances[safe.address] = ETHER
    world.node.mine()
    world.node.mine()

    follow(world)

    safe.refresh_from_db()
    assert safe.balance_wei == ETHER


def test_a_reorg_deeper_than_all_that_is_known_asks_for_an_operator(world: World):
    follow(world)
    op = world.submit()
    world.node.mine(outcome(op))
    follow(world)
    world.node.reorganise(2)
    for _ in range(4):
        world.node.mine()

    with pytest.raises(ChainNotReady, match="not the one"):
        follower.advance(chain=world.chain, node=world.node)

    assert world.fresh(op).status == Status.INCLUDED


def test_a_follower_that_died_after_rewinding_goes_on_from_the_fork(world: World):
    follow(world)
    op = world.submit()
    world.node.mine(outcome(op))
    world.node.mine()
    follow(world)
    world.node.reorganise(2)
    for _ in range(3):
        world.node.mine()
    ask = world.node.blocks_with_logs
    world.node.blocks_with_logs = dying
    with pytest.raises(ConnectionAbortedError):
        follower.advance(chain=world.chain, node=world.node)
    world.node.blocks_with_logs = ask

    follow(world)

    assert world.fresh(op).status == Status.SUBMITTED
    assert known(world) == chain_of(world, 4)


def dying(*_arguments: object) -> None:
    raise ConnectionAbortedError("the follower died here")
