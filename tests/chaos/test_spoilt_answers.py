"""A bundler and a node that lose, garble, delay and forge answers (R45 to R48)."""

from __future__ import annotations

from typing import Any

from onchain import tasks
from onchain.models import Heartbeat, UserOperation
from onchain.models.operation_states import Status
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
    forges,
    late,
    says,
)
from tests.chaos.world import World

SEND = "eth_sendUserOperation"
KNOWS = "eth_getUserOperationByHash"
PATIENCE = 1.0  # seconds a client waits here
BANNER_SECONDS = 30  # R48
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
OF_A_NODE = [REPLY_LOST, NEVER_ARRIVES, TRUNCATED, HTTP_500, late(PATIENCE * 1.5)]
ASKED_OF_A_NODE = [
    "eth_call",
    "eth_getBlockByNumber",
    "eth_getLogs",
    "eth_getTransactionReceipt",
    "eth_getCode",
    "eth_estimateGas",
    "eth_getTransactionCount",
    "eth_sendRawTransaction",
]
AWAY = 20  # operations that wait for a bundler (R47)


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

    def hash_of(params: list[Any]) -> str:
        digest = user_operation_hash(from_rpc(params[0]), chain_id=CHAIN_ID)
        return f"0x{digest.hex()}"

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

    world.settle()


def test_a_node_that_spoils_its_answers(world: World):
    world.set("CLIENT_TIMEOUT", PATIENCE)
    world.start("follower", "beat", "worker")
    people = world.live_accounts(3)
    for fault in OF_A_NODE * ROUNDS:
        keys = world.sign_payments(people, each=1)
        for method in ASKED_OF_A_NODE:
            world.node_proxy.plan(method, fault)
        world.submit(keys)
        world.open_accounts(2)
        world.nudge(tasks.run_relayer, world.chain.pk)

        world.settle()

        world.node_proxy.heal()


def test_a_node_on_another_chain_stops_submissions(world: World):
    world.start("follower", "beat", "worker")
    people = world.live_accounts(2)
    keys = world.sign_payments(people)
    world.node_proxy.plan("eth_chainId", says("0x1"), times=EVERY)
    node = Heartbeat.objects.filter(component=Heartbeat.Component.NODE)
    world.wait_until(
        lambda: node.exclude(detail="").exists(), "it is said", BANNER_SECONDS
    )
    head = world.chain.head_number
    world.submit(keys)
    world.wait_for_blocks(2)
    assert world.chain.head_number == head
    rows = UserOperation.objects.filter(pk__in=keys)
    assert not rows.filter(status=Status.INCLUDED).exists()

    world.node_proxy.heal()

    world.settle()


def test_a_node_that_shows_an_old_block(world: World):
    world.start("follower", "beat", "worker")
    people = world.live_accounts(2)
    old = world.ground.rpc.call("eth_getBlockByNumber", "latest", False)
    world.wait_for_blocks(2)
    world.node_proxy.plan("eth_getBlockByNumber", says(old), times=EVERY)
    keys = world.sign_payments(people)
    world.submit(keys)
    world.wait_for_blocks(3)
    rows = UserOperation.objects.filter(pk__in=keys)
    assert not rows.filter(status=Status.INCLUDED).exists()

    world.node_proxy.heal()

    world.settle()


def test_logs_of_no_block_move_nothing(world: World):
    """Forged events of another block than the one that was asked for (R46)."""

    def elsewhere(logs: Any) -> Any:
        return [{**log, "blockHash": ANOTHER_HASH} for log in logs or []]

    world.start("follower", "beat", "worker")
    people = world.live_accounts(2)
    world.node_proxy.plan("eth_getLogs", forges(elsewhere), times=EVERY)
    keys = world.sign_payments(people)
    world.submit(keys)
    world.wait_until_on_chain(keys)
    world.wait_for_blocks(2)
    rows = UserOperation.objects.filter(pk__in=keys)
    assert not rows.filter(status=Status.INCLUDED).exists()

    world.node_proxy.heal()

    world.settle()
