"""Endpoints that the tasks' real clients reach, and the queue that they fill."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu import Queue

from tests.factories import ETHER, World, make_world
from tests.fakes import BASE_FEE_WEI, CHAIN_ID, GENESIS_TIME, TIP_WEI
from tests.onchain.services.conftest import site as site
from tests.stub_rpc import StubRpc
from wallet_site.celery import app

ZERO_WORD = "0x" + "00" * 32
BLOCK = {
    "timestamp": hex(GENESIS_TIME + 1),
    "baseFeePerGas": hex(BASE_FEE_WEI),
    "gasLimit": hex(60_000_000),
}
NODE_ANSWERS = {
    "eth_chainId": hex(CHAIN_ID),
    "eth_getBlockByNumber": BLOCK,
    "eth_getBalance": hex(100 * ETHER),
    "eth_getCode": "0x",
    "eth_maxPriorityFeePerGas": hex(TIP_WEI),
    "eth_call": ZERO_WORD,
    "eth_estimateGas": hex(400_000),
    "eth_getTransactionCount": "0x0",
    "eth_sendRawTransaction": ZERO_WORD,
    "eth_getTransactionReceipt": None,
}
BUNDLER_ANSWERS = {
    "eth_chainId": hex(CHAIN_ID),
    "eth_estimateUserOperationGas": {
        "callGasLimit": hex(60_000),
        "verificationGasLimit": hex(1),
        "preVerificationGas": hex(50_000),
    },
    "eth_getUserOperationByHash": None,
}


@pytest.fixture
def node_stub(settings: Any) -> Iterator[StubRpc]:
    with StubRpc() as stub:
        stub.answers = dict(NODE_ANSWERS)
        settings.NODE_URL = stub.url
        yield stub


@pytest.fixture
def bundler_stub(settings: Any) -> Iterator[StubRpc]:
    with StubRpc() as stub:
        stub.answers = dict(BUNDLER_ANSWERS)
        settings.BUNDLER_URL = stub.url
        yield stub


@pytest.fixture
def world(db: None, node_stub: StubRpc, bundler_stub: StubRpc) -> World:
    return make_world()


@pytest.fixture
def queued() -> Iterator[Callable[[], list[tuple[str, list[Any]]]]]:
    """Take what is in the queue: names and arguments, in order."""

    def take() -> list[tuple[str, list[Any]]]:
        taken = []
        with app.connection_for_read() as connection:
            simple = connection.SimpleQueue(Queue(app.conf.task_default_queue))
            while True:
                try:
                    message = simple.get(block=True, timeout=0.05)
                except queue.Empty:
                    break
                message.ack()
                name = message.headers["task"].rpartition(".")[2]
                taken.append((name, message.payload[0]))
            simple.close()
        return taken

    take()
    yield take
    take()
