"""A bundler that loses, garbles, delays and forges answers (security.md R45 to R47)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onchain.models import UserOperation
from onchain.models.operation_states import Carrier, Status
from onchain.protocol.user_operation import from_rpc, user_operation_hash
from tests.chaos.conftest import ROUNDS
from tests.chaos.fault_proxy import (
    ANY,
    EVERY,
    HTTP_429,
    HTTP_500,
    NEVER_ARRIVES,
    REPLY_LOST,
    TRUNCATED,
    claims,
    late,
    says,
)
from tests.chaos.world import Ground, World

SEND = "eth_sendUserOperation"
KNOWS = "eth_getUserOperationByHash"
PATIENCE = 1.0  # seconds a client waits here
ANOTHER_HASH = "0x" + "11" * 32
CHAIN_ID = 31337
OF_A_BUNDLER = [
    REPLY_LOST,
    NEVER_ARRIVES,
    TRUNCATED,
    HTTP_500,
    HTTP_429,
    late(PATIENCE * 1.5),
    says(ANOTHER_HASH),
]
LATER_SECONDS = 3600  # longer than any operation is valid
AWAY = 20  # operations that wait for a bundler (R47)


def hash_of(params: list[Any]) -> str:
    """Return the hash of the operation that the bundler was sent."""
    digest = user_operation_hash(from_rpc(params[0]), chain_id=CHAIN_ID)
    return f"0x{digest.hex()}"


def test_a_bundler_that_spoils_its_answers(world: World):
    world.set("CLIENT_TIMEOUT", PATIENCE)
    world.start("follower", "beat", "worker")
    people = world.live_accounts(3)
    for fault in OF_A_BUNDLER * ROUNDS:
        keys = world.sign_payments(people, each=1)
        world.bundler_proxy.plan(SEND, fault, times=len(keys))
        before = world.bundler_proxy.faults
        world.submit(keys)

        world.settle()

        assert world.bundler_proxy.faults > before
        world.bundler_proxy.heal()


def test_a_bundler_that_is_away_while_20_operations_wait(world: World):
    world.start("follower", "beat", "worker")
    people = world.live_accounts(5)
    world.bundler_proxy.plan(ANY, NEVER_ARRIVES, times=EVERY)
    keys = world.sign_payments(people, each=AWAY // 5)
    world.submit(keys)
    tried = UserOperation.objects.filter(attempted_at__isnull=False)
    world.wait_until(lambda: tried.count() == AWAY, "each was tried")
    assert not world.events()

    world.bundler_proxy.heal()

    world.settle()


def test_a_bundler_is_not_believed(world: World):
    """It claims to hold and to have included what it never passed on (R46)."""

    world.start("follower", "beat", "worker")
    people = world.live_accounts(2)
    keys = world.sign_payments(people)
    included = {"blockNumber": "0x1", "transactionHash": ANOTHER_HASH}
    world.bundler_proxy.plan(SEND, claims(hash_of), times=len(keys))
    world.bundler_proxy.plan(KNOWS, says(included), times=EVERY)
    world.submit(keys)
    rows = UserOperation.objects.filter(pk__in=keys)
    world.wait_until(
        lambda: rows.filter(status=Status.SUBMITTED).count() == len(keys), "submitted"
    )
    world.wait_for_blocks(3)
    assert set(rows.values_list("status", flat=True)) == {Status.SUBMITTED}

    world.bundler_proxy.heal()
    world.let_time_pass()

    world.settle()


def test_a_bundler_that_never_includes_is_gone_round(world: World):
    """It says that it took the operations, and that it has them, for ever (R47)."""

    world.start("follower", "beat", "worker")
    people = world.live_accounts(2)
    world.bundler_proxy.plan(SEND, claims(hash_of), times=EVERY)
    world.bundler_proxy.plan(KNOWS, says({"blockNumber": None}), times=EVERY)
    keys = world.sign_payments(people)
    world.submit(keys)
    rows = UserOperation.objects.filter(pk__in=keys, status=Status.SUBMITTED)
    world.wait_until(lambda: rows.count() == len(keys), "each was taken")
    world.let_time_pass()

    world.settle()

    carried = UserOperation.objects.filter(carrier=Carrier.RELAYER)
    assert carried.count() == len(keys)


def test_what_waits_for_a_bundler_ends_with_its_time(
    own_ground: Ground, world_on: Callable[[Ground], World]
):
    with world_on(own_ground) as world:
        world.start("follower", "beat", "worker")
        people = world.live_accounts(2)
        world.bundler_proxy.plan(ANY, NEVER_ARRIVES, times=EVERY)
        keys = world.sign_payments(people)
        world.submit(keys)
        rows = UserOperation.objects.filter(pk__in=keys)
        world.wait_until(
            lambda: not rows.filter(attempted_at=None).exists(), "each was tried"
        )

        own_ground.rpc.call("evm_increaseTime", LATER_SECONDS)

        ended = rows.filter(status=Status.EXPIRED)
        world.wait_until(lambda: ended.count() == len(keys), "they have expired")
        assert not world.events()
        world.tally.expired += len(keys)
