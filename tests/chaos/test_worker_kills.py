"""kill -9 of the worker at every step of its work (security.md R43).

It dies around one call of one function, while others go on; then it is started again as
it is. What it left behind has to be enough.
"""

from __future__ import annotations

from onchain import tasks
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from tests.chaos.conftest import ROUNDS
from tests.chaos.programs import Step
from tests.chaos.world import World

SUBMISSION = "onchain.services.submission"
SEND = "onchain.clients.bundler:Bundler.send"
BROADCAST = "onchain.clients.node:Node.send_raw_transaction"
PREPARE = [
    Step.before("worker", "onchain.services.sponsor_limits:reserve"),
    Step.after("worker", "onchain.services.sponsor_limits:reserve"),
]
SUBMIT = [
    Step.after("worker", f"{SUBMISSION}:claim"),
    Step.before("worker", SEND),
    Step.after("worker", SEND),
    Step.before("worker", f"{SUBMISSION}:_mark_submitted"),
    Step.after("worker", f"{SUBMISSION}:_mark_submitted"),
]
RELAY = [
    Step.after("worker", "onchain.services.relayer:sign"),
    Step.before("worker", BROADCAST),
    Step.after("worker", BROADCAST),
    Step.after("worker", "onchain.services.broadcasting:broadcast"),
]
PEOPLE, PAYMENTS = 3, 2


def test_a_worker_killed_while_it_prepares(world: World):
    world.start("follower", "beat", "worker")
    people = world.live_accounts(PEOPLE)
    for step in PREPARE * ROUNDS:
        world.stop("worker")
        (victim,) = world.start("worker", step=step)
        drafts = [world.draft(person) for person in people]
        for op in drafts:
            world.nudge(tasks.prepare_user_operation, op.pk)
        world.wait_for_death(victim)

        world.start("worker")

        waiting = UserOperation.objects.filter(status=Status.DRAFT)
        world.wait_until(lambda rows=waiting: not rows.exists(), "drafts are prepared")
        for person, op in zip(people, drafts, strict=True):
            world.sign(person, op)
        world.settle()


def test_a_worker_killed_while_it_submits(world: World):
    world.start("follower", "beat", "worker")
    people = world.live_accounts(PEOPLE)
    for step in SUBMIT * ROUNDS:
        keys = world.sign_payments(people, each=PAYMENTS)
        world.stop("worker")
        (victim,) = world.start("worker", step=step)
        world.submit(keys)
        world.wait_for_death(victim)

        world.start("worker")

        world.settle()


def test_a_worker_killed_while_it_relays(world: World):
    world.start("follower", "beat")
    for step in RELAY * ROUNDS:
        (victim,) = world.start("worker", step=step)
        world.open_accounts(PEOPLE)
        world.nudge(tasks.run_relayer, world.chain.pk)
        world.wait_for_death(victim)

        world.start("worker")

        world.settle()
        world.stop("worker")
