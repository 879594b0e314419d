"""What is believed of a chain, and who was heard of. R22, R48."""

from __future__ import annotations

import time

import pytest

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from onchain.errors import ChainNotReady
from onchain.models import Chain, Heartbeat
from onchain.protocol.deployments import CONTRACTS
from onchain.services import chains
from tests.factories import make_chain, signer_proxy_code, the_chain
from tests.fake_bundler import FakeBundler
from tests.fakes import FakeNode


def heartbeat(component: str) -> Heartbeat:
    return Heartbeat.objects.get(component=component)


# --- Verifying. R22 ---------------------------------------------------------------------


class WithOtherCode:
    """A real node that lies about one contract."""

    def __init__(self, node: Node, address: bytes, code: bytes) -> None:
        self.node, self.address, self.code = node, address, code

    def __getattr__(self, name):
        return getattr(self.node, name)

    def codes(self, addresses, block):
        codes = self.node.codes(addresses, block)
        pairs = zip(addresses, codes, strict=True)
        return [self.code if place == self.address else code for place, code in pairs]


@pytest.fixture
def node(node_url: str) -> Node:
    return Node(JsonRpc(url=node_url, timeout=10))


def test_a_chain_with_every_pinned_contract_is_taken(db, node: Node):
    chain = chains.connect(node=node)

    assert bytes(chain.signer_proxy_code) == signer_proxy_code()
    assert chain.has_p256_precompile
    assert (chain.problem, chains.current()) == ("", chain)


def test_connecting_again_lifts_the_stop(db, node: Node):
    make_chain(problem="SafeL2 is not on the chain.", has_p256_precompile=False)

    chain = chains.connect(node=node)

    assert (chain.problem, chain.has_p256_precompile) == ("", True)
    assert Chain.objects.count() == 1


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_one_contract_with_other_code_stops_submissions(db, node: Node, contract):
    make_chain()
    lying = WithOtherCode(node, contract.address, b"\x60\x80")

    with pytest.raises(ChainNotReady, match=contract.name):
        chains.connect(node=lying)

    assert contract.name in Chain.objects.get().problem


def test_a_missing_contract_stops_submissions(db, node: Node):
    lying = WithOtherCode(node, CONTRACTS[0].address, b"")

    with pytest.raises(ChainNotReady, match="not on the chain"):
        chains.connect(node=lying)

    with pytest.raises(ChainNotReady):
        chains.current()


# R48
def test_a_node_on_another_chain_stops_submissions(db):
    make_chain()

    with pytest.raises(ChainNotReady, match="chain 1, not 31337"):
        chains.connect(node=FakeNode(chain_id_answer=1))

    assert "chain 1" in Chain.objects.get().problem


def test_a_node_out_of_reach_changes_nothing(db):
    make_chain()
    before = Chain.objects.values().get()

    with pytest.raises(TransientClientError):
        chains.connect(node=FakeNode(failure=TransientClientError("ConnectTimeout")))

    assert Chain.objects.values().get() == before


def test_before_anybody_verified_it_there_is_no_chain(db):
    with pytest.raises(ChainNotReady):
        chains.current()
    make_chain(signer_proxy_code=None)
    with pytest.raises(ChainNotReady):
        chains.current()


# --- Who was heard of. R48 --------------------------------------------------------------


def test_who_answers_is_heard_of(db):
    chains.heard(chain=the_chain(), component="follower")

    assert not heartbeat("follower").is_stale


def test_silence_keeps_the_time_of_the_last_answer(db):
    chains.heard(chain=the_chain(), component="node")
    seen_at = heartbeat("node").seen_at

    chains.silent(chain=the_chain(), component="node", detail="x" * 999)

    assert heartbeat("node").seen_at == seen_at
    assert heartbeat("node").detail == "x" * 200


def test_an_answer_forgets_the_last_error(db):
    chains.silent(chain=the_chain(), component="node", detail="ConnectTimeout")
    chains.heard(chain=the_chain(), component="node")

    assert heartbeat("node").detail == ""


@pytest.mark.parametrize(("age", "is_stale"), [(0, False), (1000, True)])
def test_a_node_whose_newest_block_is_old_is_as_good_as_away(
    db, settings, age: int, is_stale: bool
):
    settings.HEAD_STALE_SECONDS = 60
    chain = the_chain()
    chain.head_timestamp = int(time.time()) - age

    chains.heard_node(chain=chain)

    assert heartbeat("node").is_stale == is_stale


@pytest.mark.parametrize(
    ("bundler", "detail"),
    [
        (FakeBundler(), ""),
        (FakeBundler(failure=TransientClientError("HTTP 503")), "HTTP 503"),
        (FakeBundler(failure=ClientError("bundler-refused")), "bundler-refused"),
        (FakeBundler(chain_id_answer=1), "it is on chain 1"),
    ],
    ids=["well", "away", "refuses", "elsewhere"],
)
def test_a_bundler_is_heard_of_when_it_serves_this_chain(db, bundler, detail: str):
    chains.check_bundler(chain=the_chain(), bundler=bundler)

    assert heartbeat("bundler").detail == detail
    assert heartbeat("bundler").is_stale == bool(detail)
