"""Reorganisations of a real chain, 1 to 12 blocks deep (security.md R49)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import HURRY, REORGS, new_ground
from tests.chaos.stores import FileBroker, RedisBroker
from tests.chaos.world import Ground, Tally, World

DEPTHS = (1, 12, 6, 2, 3, 4, 5, 7, 8, 9, 10, 11)


@pytest.fixture
def own_ground(tmp_path: Path) -> Iterator[Ground]:
    """A chain and a bundler that nobody else needs: a reorg spoils both."""
    with new_ground(tmp_path) as ground:
        yield ground


def test_reorgs_leave_the_rows_that_the_chain_has(
    own_ground: Ground,
    tmp_path: Path,
    broker: FileBroker | RedisBroker,
    tally: Tally,
    transactional_db: None,
):
    with World(
        ground=own_ground,
        folder=tmp_path,
        broker_url=broker.url,
        tally=tally,
        **HURRY,
    ) as world:
        rpc = own_ground.rpc
        world.start("follower", "beat", "worker")
        people = world.live_accounts(2)
        rpc.call("anvil_mine", hex(max(DEPTHS)))
        for depth in itertools.islice(itertools.cycle(DEPTHS), REORGS):
            keys = world.sign_payments(people)
            rpc.call("evm_setAutomine", True)  # a block for each bundle, no others
            world.submit(keys)
            world.wait_until_on_chain(keys)
            rpc.call("anvil_mine", hex(depth - 1))

            rpc.call("anvil_reorg", depth, [])

            assert world.events() < world.seen + len(keys)
            rpc.call("evm_setIntervalMining", 1)
            tally.reorgs += 1
            world.settle()
