"""What the follower does not believe of a node (R48)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onchain.clients.errors import TransientClientError
from onchain.errors import ChainNotReady
from onchain.models.operation_states import Status
from onchain.protocol.types import Bytes32
from onchain.services import broadcasting, follower, relayer
from tests.factories import (
    RELAYER_KEY,
    World,
    make_relayer_transaction,
)
from tests.onchain.services.happenings import (
    follow,
    known,
    outcome,
    rows,
)

# --- Moving forward ---------------------------------------------------------------------


def test_another_chain_behind_the_node_is_refused(world: World):
    follow(world)
    world.node.mine()
    world.node.chain_id_answer = 1
    before = known(world)

    with pytest.raises(ChainNotReady, match="chain 1"):
        follower.advance(chain=world.chain, node=world.node)

    assert known(world) == before


def test_logs_of_another_block_are_refused(world: World):
    follow(world)
    op = world.submit()
    world.node.mine(outcome(op))
    answer = world.node.blocks_with_logs

    def lying(*args):
        blocks, logs = answer(*args)
        return blocks, [replace(log, block_hash=b"\x0e" * 32) for log in logs]

    world.node.blocks_with_logs = lying

    with pytest.raises(TransientClientError, match="other blocks"):
        follower.advance(chain=world.chain, node=world.node)

    assert world.fresh(op).status == Status.SUBMITTED


def test_blocks_that_are_no_chain_are_refused(world: World):
    follow(world)
    world.node.mine()
    world.node.mine()
    world.node.blocks[-1] = replace(
        world.node.blocks[-1], parent_hash=Bytes32(b"\x0e" * 32)
    )

    with pytest.raises(TransientClientError):
        follower.advance(chain=world.chain, node=world.node)


def test_a_receipt_that_is_not_there_yet_leaves_the_block_unread(world: World):
    follow(world)
    row = make_relayer_transaction(chain=world.chain)
    relayer.sign_queued(
        row=row, node=world.node, account=relayer.account_of(RELAYER_KEY)
    )
    row.refresh_from_db()
    broadcasting.broadcast(row=row, node=world.node)
    world.node.mine()
    receipts = dict(world.node.mined)
    world.node.mined.clear()

    with pytest.raises(TransientClientError, match="receipt"):
        follower.advance(chain=world.chain, node=world.node)

    world.node.mined = receipts
    follow(world)
    row.refresh_from_db()
    assert row.status == "mined"


def test_a_node_without_a_block_below_its_head_is_no_reorg(world: World):
    follow(world)
    op = world.submit()
    world.node.mine(outcome(op))
    follow(world)
    world.node.mine()
    world.node.mine()
    world.node.block_hash = lambda _number: None

    with pytest.raises(TransientClientError, match="below its head"):
        follower.advance(chain=world.chain, node=world.node)

    assert world.fresh(op).status == Status.INCLUDED


def test_a_reorg_between_two_requests_is_noticed(world: World):
    follow(world)
    world.node.mine()
    ask = world.node.blocks_with_logs

    def reorganised(*args):
        world.node.reorganise(2)
        world.node.mine()
        world.node.mine()
        return ask(*args)

    world.node.blocks_with_logs = reorganised

    with pytest.raises(TransientClientError, match="reorganised"):
        follower.advance(chain=world.chain, node=world.node)


def test_a_node_out_of_reach_changes_nothing(world: World):
    follow(world)
    before = rows()
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(TransientClientError):
        follower.advance(chain=world.chain, node=world.node)

    assert rows() == before


def test_a_node_that_is_late_is_not_a_reorg(world: World):
    follow(world)
    op = world.submit()
    world.node.mine(outcome(op))
    follow(world)
    newest = world.node.blocks.pop()

    assert not follower.advance(chain=world.chain, node=world.node)

    assert world.fresh(op).status == Status.INCLUDED
    world.node.blocks.append(newest)
    assert not follower.advance(chain=world.chain, node=world.node)
