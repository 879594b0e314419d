"""How nodes say that less should be asked at once, and how they say other things."""

from __future__ import annotations

import pytest

from onchain.clients.errors import AnswerTooLarge, ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.protocol.types import Address, Bytes32
from tests.stub_rpc import RpcFailure, StubRpc

TOPIC = Bytes32(b"\x22" * 32)
ACCOUNT = Address(b"\xaa" * 20)
TOO_LARGE = {
    "geth": (-32003, "response too large"),
    "geth, batch": (-32600, "batch too large"),
    "geth, range": (-32000, "exceed maximum block range: 5000"),
    "Erigon": (-32000, "query returns too many logs, narrow your filter: 20000"),
    "Erigon, range": (-32000, "query block range exceeds server limit"),
    "Erigon, batch": (-32000, "batch limit 100 exceeded"),
    "Nethermind": (-32005, "Too many logs requested. Max logs per response is 20000."),
    "Nethermind, time": (-32000, "eth_getLogs request was canceled due to timeout."),
    "reth": (-32602, "query exceeds max results 20000, retry with the range 1-2"),
    "reth, range": (-32602, "query exceeds max block range 100000"),
    "Alchemy": (-32602, "Log response size exceeded. You can make requests with up to"),
    "Alchemy, time": (-32000, "Query timeout exceeded. Consider reducing your range."),
    "Infura": (-32005, "query returned more than 10000 results"),
    "Infura, range": (-32602, "range 1000000 exceeds limit of 10000"),
    "a gateway": (-32602, "range 9009594 is bigger than range limit 2000"),
    "another": (-32000, "block range is too wide"),
}
OTHER_TROUBLE = {
    "Infura": (-32005, "daily request count exceeded, request rate limited"),
    "Alchemy": (429, "Your app has exceeded its compute units per second capacity"),
    "anybody": (-32005, "Too Many Requests"),
    "unknown block": (-32000, "unknown block"),
    "not synced": (-32000, "header not found"),
}


@pytest.mark.parametrize("who", TOO_LARGE)
@pytest.mark.parametrize("method", ["eth_getLogs", "eth_getBlockByNumber"])
def test_words_that_ask_for_less_are_understood(stub: StubRpc, node: Node, who, method):
    stub.answers[method] = RpcFailure(*TOO_LARGE[who])

    with pytest.raises(AnswerTooLarge):
        ask(node, method)


@pytest.mark.parametrize("who", OTHER_TROUBLE)
def test_words_that_ask_for_patience_are_not_mistaken(stub: StubRpc, node: Node, who):
    stub.answers["eth_getLogs"] = RpcFailure(*OTHER_TROUBLE[who])

    with pytest.raises(TransientClientError) as caught:
        ask(node, "eth_getLogs")

    assert not isinstance(caught.value, AnswerTooLarge)


def ask(node: Node, method: str) -> None:
    if method == "eth_getLogs":
        node.logs_about(
            ACCOUNT, 1, 9, own=[TOPIC], named_first=[TOPIC], named_second=[TOPIC]
        )
    else:
        node.blocks_with_logs(1, 9, [TOPIC])


def test_one_error_in_the_place_of_a_batch_is_understood(stub: StubRpc, node: Node):
    stub.body = b'{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"batch too '
    stub.body += b'large"}}'

    with pytest.raises(AnswerTooLarge):
        node.blocks_with_logs(1, 9, [TOPIC])


def test_http_that_asks_for_less_is_understood(stub: StubRpc, node: Node):
    stub.status, stub.body = 413, b"<html>too large</html>"

    with pytest.raises(AnswerTooLarge):
        node.blocks_with_logs(1, 9, [TOPIC])


def test_what_cannot_be_split_is_refused_as_before(stub: StubRpc, node: Node):
    stub.answers["eth_estimateGas"] = RpcFailure(-32000, "gas exceeds max limit")

    with pytest.raises(ClientError):
        node.estimate_gas(sender=ACCOUNT, to=ACCOUNT, value=0, data=b"")


def test_logs_about_an_account_are_three_questions(stub: StubRpc, node: Node):
    stub.answers["eth_getLogs"] = []

    ask(node, "eth_getLogs")

    (batch,) = stub.requests
    own, first, second = (call["params"][0] for call in batch)
    word = "0x" + "00" * 12 + "aa" * 20
    topic = "0x" + "22" * 32
    assert own["address"].lower() == "0x" + "aa" * 20
    assert (own["fromBlock"], own["toBlock"]) == ("0x1", "0x9")
    assert own["topics"] == [[topic]]
    assert first["topics"] == [[topic], word]
    assert second["topics"] == [[topic], None, word]
