"""kill -9 of the follower as it reads and as it writes (security.md R43)."""

from __future__ import annotations

from tests.chaos.conftest import ROUNDS
from tests.chaos.programs import Step
from tests.chaos.world import World

FOLLOW = [
    Step.after("follower", "onchain.clients.node:Node.blocks_with_logs"),
    Step.before("follower", "onchain.services.inclusion:_record_outcome"),
    Step.after("follower", "onchain.services.inclusion:_record_outcome"),
    Step.after("follower", "onchain.services.follower:_store"),
]
PEOPLE, PAYMENTS = 3, 2


def test_a_follower_killed_while_it_reads_and_writes(world: World):
    world.start("follower", "beat", "worker")
    people = world.live_accounts(PEOPLE)
    for step in FOLLOW * ROUNDS:
        world.stop("follower")
        keys = world.sign_payments(people, each=PAYMENTS)
        world.submit(keys)
        world.wait_until_on_chain(keys)
        (victim,) = world.start("follower", step=step)
        world.wait_for_death(victim)

        world.start("follower")

        world.settle()
