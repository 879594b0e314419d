"""Two followers at once, each with a connection of its own: no doubles (R54)."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
from django.db import connections

from onchain.clients.errors import TransientClientError
from onchain.models import Block, Chain, Safe, Transfer
from onchain.models.operation_states import Status
from onchain.services import follower
from tests.factories import World, make_world
from tests.onchain.services.happenings import outcome, received

pytestmark = pytest.mark.services

BLOCKS = 30


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


def test_two_followers_without_a_lease_write_everything_once(world: World):
    follower.advance(chain=world.chain, node=world.node)
    op = world.submit()
    threads = [threading.Thread(target=race, args=(world,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(BLOCKS):
        paid = received(
            world.wallet.safe, number + 1, transaction_hash=bytes([number]) * 32
        )
        world.node.mine(paid, *([outcome(op)] if number == 7 else []))
        time.sleep(0.01)  # so that both are in the middle of something
    for thread in threads:
        thread.join()

    numbers = list(Block.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(100, 101 + BLOCKS))
    values = Transfer.objects.values_list("value_wei", flat=True)
    assert sorted(values) == list(range(1, BLOCKS + 1))
    op = world.fresh(op)
    assert (op.status, op.block_number) == (Status.INCLUDED, 108)
    assert Safe.objects.get(pk=world.wallet.safe.pk).synced_at_block is not None


def race(world: World) -> None:
    """Follow as one process would, until the last block is read."""
    chain = Chain.objects.get()
    try:
        while (chain.head_number or 0) < 100 + BLOCKS:
            with contextlib.suppress(TransientClientError):  # the other was faster
                follower.advance(chain=chain, node=world.node)
            chain.refresh_from_db()
    finally:
        connections.close_all()
