"""JSON-RPC over HTTP: every way in which an answer can be no answer."""

from __future__ import annotations

import logging
import socket
import traceback

import pytest

from onchain.clients.errors import TransientClientError
from onchain.clients.json_rpc import JsonRpc, RpcError
from tests.stub_rpc import SECRET_PATH, RpcFailure, StubRpc


def test_a_result_is_returned(stub: StubRpc, rpc: JsonRpc):
    stub.answers["eth_add"] = lambda left, right: left + right

    assert rpc.call("eth_add", 1, 2) == 3


def test_a_null_result_is_a_result(stub: StubRpc, rpc: JsonRpc):
    stub.answers["eth_nothing"] = None

    assert rpc.call("eth_nothing") is None


def test_an_error_object_is_an_rpc_error(stub: StubRpc, rpc: JsonRpc):
    stub.answers["eth_fail"] = RpcFailure(-32000, "no", "0x1234")

    with pytest.raises(RpcError) as caught:
        rpc.call("eth_fail")

    error = caught.value
    assert (error.code, error.message, error.data) == (-32000, "no", "0x1234")


# --- Proxies ----------------------------------------------------------------------------


def test_what_runs_beside_us_is_asked_without_a_proxy(stub, rpc, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    stub.answers["eth_chainId"] = "0x7a69"

    assert rpc.call("eth_chainId") == "0x7a69"


def test_a_node_elsewhere_is_asked_through_the_operators_proxy(stub, monkeypatch):
    monkeypatch.setenv("http_proxy", stub.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    stub.answers["eth_chainId"] = "0x1"

    far = JsonRpc(url=f"http://node.example{SECRET_PATH}", timeout=2.0)

    assert far.call("eth_chainId") == "0x1"


# --- No usable answer -------------------------------------------------------------------

BODIES = {
    "nothing": b"",
    "text": b"Bad gateway",
    "half": b'{"jsonrpc": "2.0", "id": 1, "resu',
    "not UTF-8": b"\xff\xfe\xfa",
    "null": b"null",
    "number": b"1",
    "string": b'"0x1"',
    "empty list": b"[]",
    "empty object": b"{}",
    "error that is text": b'{"error": "no"}',
    "error that is a list": b'{"error": ["no"]}',
    "error whose code is text": b'{"error": {"code": "many", "message": "no"}}',
    "error whose code is a list": b'{"error": {"code": [1], "message": "no"}}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("kind", ["call", "batch"])
def test_a_malformed_answer_is_one_of_the_two_errors(stub, rpc, body: bytes, kind: str):
    stub.body = body

    expected = RpcError if b'"code"' in body else TransientClientError

    with pytest.raises(expected):
        rpc.call("eth_x") if kind == "call" else rpc.batch([("eth_x", ())])


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_status_that_says_later_is_transient(stub, rpc, status: int):
    stub.status = status
    stub.answers["eth_x"] = "0x1"

    with pytest.raises(TransientClientError, match=str(status)):
        rpc.call("eth_x")


def test_an_error_object_with_status_400_is_still_read(stub: StubRpc, rpc: JsonRpc):
    stub.status = 400
    stub.answers["eth_x"] = RpcFailure(-32602, "wrong parameters")

    with pytest.raises(RpcError, match="wrong parameters"):
        rpc.call("eth_x")


def test_an_answer_that_takes_too_long_is_transient(stub: StubRpc):
    stub.delay = 0.5
    stub.answers["eth_x"] = "0x1"

    with pytest.raises(TransientClientError, match="ReadTimeout"):
        JsonRpc(url=stub.url, timeout=0.05).call("eth_x")


def test_nobody_listening_is_transient():
    with pytest.raises(TransientClientError, match="ConnectionError"):
        JsonRpc(url=f"http://127.0.0.1:{closed_port()}", timeout=1.0).call("eth_x")


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# R35
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(stub: StubRpc, rpc: JsonRpc, status: int):
    with StubRpc() as elsewhere:
        elsewhere.answers["eth_x"] = "0x1"
        stub.status, stub.location, stub.body = status, elsewhere.url, b"moved"

        with pytest.raises(TransientClientError):
            rpc.call("eth_x")

        assert elsewhere.requests == []


# --- Batches ----------------------------------------------------------------------------

BATCH = [("eth_one", ()), ("eth_two", ()), ("eth_three", ())]


@pytest.fixture
def numbers(stub: StubRpc) -> StubRpc:
    stub.answers = {"eth_one": 1, "eth_two": 2, "eth_three": 3}
    return stub


def test_a_batch_is_one_http_request(numbers: StubRpc, rpc: JsonRpc):
    assert rpc.batch(BATCH) == [1, 2, 3]
    assert len(numbers.requests) == 1


def test_an_empty_batch_asks_nobody(stub: StubRpc, rpc: JsonRpc):
    assert rpc.batch([]) == []
    assert stub.requests == []


def test_shuffled_answers_are_put_in_order(numbers: StubRpc, rpc: JsonRpc):
    numbers.reshape = lambda answers: answers[::-1]

    assert rpc.batch(BATCH) == [1, 2, 3]


def test_a_missing_answer_is_transient(numbers: StubRpc, rpc: JsonRpc):
    numbers.reshape = lambda answers: answers[1:]

    with pytest.raises(TransientClientError, match="missing"):
        rpc.batch(BATCH)


@pytest.mark.parametrize("wrong_id", [None, [], {}, "1", 1.5, -1])
def test_an_answer_with_another_id_is_transient(numbers, rpc, wrong_id):
    numbers.reshape = lambda answers: [answers[0] | {"id": wrong_id}, *answers[1:]]

    with pytest.raises(TransientClientError, match="missing"):
        rpc.batch(BATCH)


def test_an_answer_that_is_no_object_is_transient(numbers: StubRpc, rpc: JsonRpc):
    numbers.reshape = lambda answers: [7, *answers[1:]]

    with pytest.raises(TransientClientError):
        rpc.batch(BATCH)


def test_one_failed_call_does_not_hide_the_others(numbers: StubRpc, rpc: JsonRpc):
    numbers.answers["eth_two"] = RpcFailure(-32000, "no")

    one, two, three = rpc.batch(BATCH)

    assert (one, three) == (1, 3)
    assert isinstance(two, RpcError)


def test_an_endpoint_that_refuses_batches_says_so(numbers: StubRpc, rpc: JsonRpc):
    numbers.body = b'{"error": {"code": -32600, "message": "no batches"}}'

    with pytest.raises(RpcError, match="no batches"):
        rpc.batch(BATCH)


# --- R40: the URL holds a key -----------------------------------------------------------


def test_the_url_is_in_no_repr(rpc: JsonRpc):
    assert SECRET_PATH not in repr(rpc)
    assert "127.0.0.1" not in repr(rpc)


@pytest.mark.parametrize("trouble", ["closed", "slow", "malformed", "status", "error"])
def test_the_url_is_in_no_exception_and_no_log(stub: StubRpc, trouble: str, caplog):
    caplog.set_level(logging.DEBUG)
    url, timeout = stub.url, 2.0
    if trouble == "closed":
        url = f"http://127.0.0.1:{closed_port()}{SECRET_PATH}"
    elif trouble == "slow":
        stub.delay, timeout = 0.3, 0.05
    elif trouble == "malformed":
        stub.body = b"no"
    elif trouble == "status":
        stub.status = 503

    with pytest.raises((TransientClientError, RpcError)) as caught:
        JsonRpc(url=url, timeout=timeout).call("eth_x")

    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert SECRET_PATH not in told
