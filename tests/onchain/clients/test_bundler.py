"""The bundler's methods over recorded answers, and the words for its refusals."""

from __future__ import annotations

import pytest

from onchain.clients.bundler import CODES as NUMBERS
from onchain.clients.bundler import Bundler, GasEstimate
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.failures import WORDS
from onchain.protocol.types import Address
from onchain.protocol.user_operation import (
    Paymaster,
    UserOperationV07,
    from_rpc,
    user_operation_hash,
)
from tests.stub_rpc import RpcFailure, StubRpc

OP = UserOperationV07(
    sender=Address(b"\xaa" * 20),
    nonce=1 << 64,
    call_data=b"\1\2",
    call_gas_limit=1,
    verification_gas_limit=2,
    pre_verification_gas=3,
    max_fee_per_gas=5,
    max_priority_fee_per_gas=4,
    paymaster=Paymaster(
        address=Address(b"\xbb" * 20), verification_gas_limit=0, post_op_gas_limit=0
    ),
    signature=b"\3",
)
HASH = "0x" + user_operation_hash(OP, chain_id=31337).hex()
ENTRY_POINT = "0x0000000071727De22E5E9d8BAf0edAc6f37da032"


def test_another_one_estimates_while_the_first_is_away(stub: StubRpc):
    stub.answers["eth_estimateUserOperationGas"] = {
        "callGasLimit": "0x1",
        "verificationGasLimit": "0x2",
        "preVerificationGas": "0x3",
    }
    away = JsonRpc(url="http://127.0.0.1:9", timeout=1)

    estimate = Bundler(away, substitute=JsonRpc(url=stub.url, timeout=1)).estimate(OP)

    assert estimate.pre_verification_gas == 3
    with pytest.raises(TransientClientError):
        Bundler(away).estimate(OP)


def test_an_operation_is_handed_over_whole(stub: StubRpc, bundler: Bundler):
    stub.answers["eth_sendUserOperation"] = HASH

    returned = bundler.send(OP)

    fields, entry_point = stub.requests[0]["params"]
    assert returned == bytes.fromhex(HASH[2:])
    assert from_rpc(fields) == OP
    assert entry_point == ENTRY_POINT


@pytest.mark.parametrize(
    "message", ["Already known", "already known", "AA: Already Known"]
)
def test_an_operation_it_has_already_is_no_error(stub, bundler, message: str):
    stub.answers["eth_sendUserOperation"] = RpcFailure(-32602, message)

    assert bundler.send(OP) is None


@pytest.mark.parametrize(("answer", "expected"), [(None, False), ({"a": 1}, True)])
def test_it_is_asked_by_hash(stub: StubRpc, bundler: Bundler, answer, expected):
    stub.answers["eth_getUserOperationByHash"] = answer

    assert bundler.knows(bytes.fromhex(HASH[2:])) is expected
    assert stub.requests[0]["params"] == [HASH]


def test_an_estimate_has_three_amounts(stub: StubRpc, bundler: Bundler):
    stub.answers["eth_estimateUserOperationGas"] = {
        "callGasLimit": "0x1",
        "verificationGasLimit": "0x2",
        "preVerificationGas": "0x3",
        "paymasterVerificationGasLimit": "0x4",
    }

    assert bundler.estimate(OP) == GasEstimate(
        call_gas_limit=1, verification_gas_limit=2, pre_verification_gas=3
    )


# --- Refusals ---------------------------------------------------------------------------

CODES = ["AA10", "AA13", "AA20", "AA21", "AA22", "AA23", "AA24", "AA25", "AA26"]
CODES += ["AA31", "AA32", "AA33", "AA34"]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("number", [-32500, -32501, -32602, -32603])
def test_the_entry_points_code_is_kept_and_has_words(stub, bundler, code, number):
    message = f"UserOperation reverted with reason: {code} something"
    stub.answers["eth_sendUserOperation"] = RpcFailure(number, message)

    with pytest.raises(ClientError) as caught:
        bundler.send(OP)

    assert (caught.value.code, caught.value.detail) == (code, message)
    assert code in WORDS


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (RpcFailure(-32521, "call failed", "0x"), "execution-reverted"),
        (RpcFailure(-32000, "execution reverted: GS013"), "execution-reverted"),
        (RpcFailure(-32000, "something of its own"), "bundler-refused"),
        (RpcFailure(-32602, "maxFeePerGas must be at least 7"), "bundler-fee-too-low"),
        (RpcFailure(-32000, "insufficient funds for gas"), "insufficient-funds"),
        (
            RpcFailure(
                -32602,
                "AA25 invalid account nonce: Another UserOperation with same sender "
                "and nonce is already being processed",
            ),
            "bundler-nonce-held",
        ),
        *((RpcFailure(number, "no"), code) for number, code in NUMBERS.items()),
    ],
)
def test_every_other_refusal_has_a_stable_code(stub, bundler, failure, code: str):
    stub.answers["eth_estimateUserOperationGas"] = failure

    with pytest.raises(ClientError) as caught:
        bundler.estimate(OP)

    assert caught.value.code == code
    assert code in WORDS


@pytest.mark.parametrize(
    "failure",
    [RpcFailure(-32603, "internal error"), RpcFailure(-32000, "fetch failed")],
)
def test_trouble_behind_the_bundler_is_transient(stub, bundler, failure):
    stub.answers["eth_sendUserOperation"] = failure

    with pytest.raises(TransientClientError):
        bundler.send(OP)


# --- Answers of another shape -----------------------------------------------------------

SHAPES = [None, True, 7, "", "zz", "0x11", [], [1], {}, {"callGasLimit": "zz"}]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hash_of_another_shape_is_transient(stub, bundler, shape):
    stub.answers["eth_sendUserOperation"] = shape

    with pytest.raises(TransientClientError):
        bundler.send(OP)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_estimate_of_another_shape_is_transient(stub, bundler, shape):
    stub.answers["eth_estimateUserOperationGas"] = shape

    with pytest.raises(TransientClientError):
        bundler.estimate(OP)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "0x11"])
def test_a_chain_id_of_another_shape_is_transient(stub, bundler, shape):
    stub.answers["eth_chainId"] = shape

    with pytest.raises(TransientClientError):
        bundler.chain_id()
