"""Clients that talk to a stub on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from tests.stub_rpc import StubRpc


@pytest.fixture
def stub() -> Iterator[StubRpc]:
    with StubRpc() as stub:
        yield stub


@pytest.fixture
def rpc(stub: StubRpc) -> JsonRpc:
    return JsonRpc(url=stub.url, timeout=2.0)


@pytest.fixture
def node(rpc: JsonRpc) -> Node:
    return Node(rpc)


@pytest.fixture
def bundler(rpc: JsonRpc) -> Bundler:
    return Bundler(rpc)
