"""A node that loses, garbles, delays and forges answers (security.md R46, R48)."""

from __future__ import annotations

from typing import Any

from onchain import tasks
from onchain.models import Heartbeat, UserOperation
from onchain.models.operation_states import Status
from tests.chaos.conftest import ROUNDS
from tests.chaos.fault_proxy import (
    EVERY,
    HTTP_500,
    NEVER_ARRIVES,
    REPLY_LOST,
    TRUNCATED,
    forges,
    late,
    says,
)
from tests.chaos.world import World

PATIENCE = 1.0  # seconds a client waits here
BANNER_SECONDS = 30  # R48
ANOTHER_HASH = "0x" + "11" * 32
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
