"""Messages that are lost or come ten times, and programs that run twice (R44, R52, R54)."""

from __future__ import annotations

from onchain import tasks
from tests.chaos.conftest import ROUNDS
from tests.chaos.fault_proxy import late
from tests.chaos.stores import FileBroker, RedisBroker
from tests.chaos.world import World

TIMES = 10  # that a message is delivered
IN_FLIGHT = 50
SEND = "eth_sendUserOperation"
SLOW_SECONDS = 0.2  # of the bundler, so that messages wait


def test_a_broker_that_forgets_everything(
    world: World, broker: FileBroker | RedisBroker
):
    world.start("follower", "beat")
    people = world.open_accounts(10)
    world.start("worker")
    world.nudge(tasks.run_relayer, world.chain.pk)
    world.wait_until_live(people)
    for _round in range(ROUNDS):
        keys = world.sign_payments(people, each=IN_FLIGHT // len(people))
        world.bundler_proxy.plan(SEND, late(SLOW_SECONDS), times=len(keys))
        world.submit(keys)

        assert broker.forget_everything() > 0

        world.settle()
        world.bundler_proxy.heal()


def test_a_message_that_comes_ten_times(world: World):
    world.start("follower", "beat", "worker", "worker")
    people = world.live_accounts(4)
    for _round in range(ROUNDS):
        keys = world.sign_payments(people, each=2)
        before = world.bundler_proxy.counts[SEND]

        world.submit(keys, times=TIMES)

        world.settle()
        # One each, and the same bytes again where a slow machine outlasts a claim.
        assert world.bundler_proxy.counts[SEND] - before < len(keys) * TIMES // 2


def test_two_of_each_program(world: World):
    for name in ("follower", "beat", "worker"):
        world.start(name, name)
    for _round in range(ROUNDS):
        people = world.live_accounts(4)
        keys = world.sign_payments(people, each=2)
        world.submit(keys)
        world.open_accounts(12)
        world.nudge(tasks.run_relayer, world.chain.pk, times=2)

        world.settle()
