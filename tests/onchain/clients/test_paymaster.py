"""The client of a paymaster service (ERC-7677): what it asks, and what it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.paymaster import (
    DATA_LIMIT,
    DEFAULT_VERIFICATION_GAS,
    PaymasterService,
)
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.types import checksum_address
from tests.onchain.protocol.vectors import CHAIN_ID, EOA, RECIPIENT, operation
from tests.paymaster_service import (
    DATA,
    STUB,
    VERIFICATION_GAS,
    PaymasterServer,
    with_stub,
)
from tests.stub_rpc import SECRET_PATH, RpcFailure

KEY = "0x" + "5e" * 32
CONTEXT = {"policyId": "1"}
OP = operation()
STUBBED = with_stub(OP, EOA)


@pytest.fixture
def server() -> Iterator[PaymasterServer]:
    with PaymasterServer(paymaster=EOA, private_key=KEY, valid_until=600) as server:
        yield server


@pytest.fixture
def service(server: PaymasterServer) -> PaymasterService:
    return PaymasterService(rpc=JsonRpc(url=server.url, timeout=5), context=CONTEXT)


def test_a_stub_is_asked_for_without_a_signature(server, service):
    offer = service.stub(OP, chain_id=CHAIN_ID)

    ((fields, entry_point, chain_id, context),) = server.asked
    assert "signature" not in fields
    assert "paymaster" not in fields
    assert fields["sender"] == checksum_address(OP.sender)
    assert entry_point == checksum_address(ENTRY_POINT)
    assert (chain_id, context) == (hex(CHAIN_ID), CONTEXT)
    assert offer.paymaster.address == EOA
    assert offer.paymaster.verification_gas_limit == VERIFICATION_GAS
    assert (offer.is_final, offer.sponsor_name) == (False, "Gas & Co")


def test_the_final_data_is_asked_for_with_the_stubs_gas(server, service):
    paymaster = service.data(STUBBED, chain_id=CHAIN_ID)

    (fields, *_rest), *_others = server.asked
    assert fields["paymasterVerificationGasLimit"] == hex(VERIFICATION_GAS)
    assert fields["paymasterPostOpGasLimit"] == "0x0"
    assert "signature" not in fields
    assert len(paymaster.data) == 129
    # What the service leaves out is as it was in the stub.
    assert paymaster.verification_gas_limit == VERIFICATION_GAS


def test_the_final_gas_is_the_services(server, service):
    server.changes = {"paymasterPostOpGasLimit": "0x10"}

    assert service.data(STUBBED, chain_id=CHAIN_ID).post_op_gas_limit == 16


@pytest.mark.parametrize(
    ("changes", "gas"),
    [
        ({"paymasterVerificationGasLimit": None}, DEFAULT_VERIFICATION_GAS),
        ({"paymasterVerificationGasLimit": "0x0"}, 0),
    ],
    ids=["left out", "nothing"],
)
def test_gas_left_out_is_not_gas_of_nothing(server, service, changes, gas):
    server.changes = changes

    paymaster = service.stub(OP, chain_id=CHAIN_ID).paymaster

    assert paymaster.verification_gas_limit == gas


def test_empty_data_is_data(server, service):
    server.changes = {"paymasterData": "0x", "isFinal": True, "sponsor": None}

    offer = service.stub(OP, chain_id=CHAIN_ID)

    assert offer.paymaster.data == b""
    assert (offer.is_final, offer.sponsor_name) == (True, "")


def test_a_sponsors_name_hides_nothing_and_fits(server, service):
    server.changes = {"sponsor": {"name": "free\u202e" + "x" * 99, "icon": "data:,"}}

    name = service.stub(OP, chain_id=CHAIN_ID).sponsor_name

    assert name.startswith("free\\u{202e}xxx")
    assert len(name) == 60


@pytest.mark.parametrize(
    "changes",
    [
        {"paymaster": None},
        {"paymaster": "0x1234"},
        {"paymaster": 7},
        {"paymaster": checksum_address(RECIPIENT).swapcase().replace("X", "x")},
        {"paymasterData": None},
        {"paymasterData": "0x1"},
        {"paymasterData": "12"},
        {"paymasterData": "0x" + "00" * (DATA_LIMIT + 1)},
        {"paymasterPostOpGasLimit": None},
        {"paymasterPostOpGasLimit": "ten"},
        {"paymasterPostOpGasLimit": True},
        {"paymasterPostOpGasLimit": -1},
        {"paymasterVerificationGasLimit": hex(2**128)},
        {"isFinal": "yes"},
        {"sponsor": "Gas & Co"},
        {"sponsor": {"icon": "data:,"}},
        {"sponsor": {"name": 7}},
    ],
    ids=str,
)
def test_a_malformed_stub_is_no_answer(server, service, changes: dict[str, Any]):
    server.changes = changes

    with pytest.raises(TransientClientError):
        service.stub(OP, chain_id=CHAIN_ID)


@pytest.mark.parametrize("answer", [None, [], "0x", {"paymasterAndData": "0x12"}])
def test_an_answer_of_another_shape_is_no_answer(server, service, answer):
    server.answers = {STUB: answer, DATA: answer}

    with pytest.raises(TransientClientError):
        service.stub(OP, chain_id=CHAIN_ID)
    with pytest.raises(TransientClientError):
        service.data(STUBBED, chain_id=CHAIN_ID)


def test_an_error_of_the_service_is_a_refusal(server, service):
    server.answers = {STUB: RpcFailure(-32000, "policy\u202e exceeded")}

    with pytest.raises(ClientError) as caught:
        service.stub(OP, chain_id=CHAIN_ID)

    assert caught.value.code == "sponsor-declined"
    assert caught.value.detail == "policy\\u{202e} exceeded"


def test_a_slow_service_is_no_answer(server):
    server.delay = 1.0
    service = PaymasterService(rpc=JsonRpc(url=server.url, timeout=0.1))

    with pytest.raises(TransientClientError):
        service.stub(OP, chain_id=CHAIN_ID)


def test_what_has_no_stub_gets_no_final_data(server, service):
    with pytest.raises(ValueError, match="no stub"):
        service.data(OP, chain_id=CHAIN_ID)

    assert server.requests == []


def test_the_services_key_is_not_printed(service):
    assert SECRET_PATH not in repr(service)
    assert "policyId" not in repr(service)
