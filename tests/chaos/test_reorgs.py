"""Reorganisations of a real chain, 1 to 12 blocks deep (security.md R49)."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from onchain.models import Block
from tests.chaos.conftest import REORGS
from tests.chaos.world import Ground, World

DEPTHS = (1, 12, 6, 2, 3, 4, 5, 7, 8, 9, 10, 11)


def test_reorgs_leave_the_rows_that_the_chain_has(
    own_ground: Ground, world_on: Callable[[Ground], World]
):
    rpc = own_ground.rpc
    with world_on(own_ground) as world:
        world.start("follower", "beat", "worker")
        people = world.live_accounts(2)
        rpc.call("anvil_mine", hex(max(DEPTHS)))
        for depth in itertools.islice(itertools.cycle(DEPTHS), REORGS):
            keys = world.sign_payments(people)
            rpc.call("evm_setAutomine", True)  # a block for each bundle, no others
            world.submit(keys)
            world.wait_until_on_chain(keys)
            rpc.call("anvil_mine", hex(depth - 1))
            world.wait_until_followed()
            head = Block.objects.order_by("-number").first()

            rpc.call("anvil_reorg", depth, [])

            assert world.events() < world.seen + len(keys)
            rpc.call("evm_setIntervalMining", 1)
            world.tally.reorgs += 1
            rows = Block.objects.filter(hash=head.hash)
            world.wait_until(lambda rows=rows: not rows.exists(), "it is noticed")
            world.let_time_pass()
            world.settle()
