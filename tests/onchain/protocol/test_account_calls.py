"""Call data of operations: what an account is made to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain.protocol.abi import call_data
from onchain.protocol.account_calls import (
    EXECUTE,
    calls_call_data,
    decode_call_data,
    execute_call_data,
)
from onchain.protocol.deployments import (
    MULTI_SEND,
    MULTI_SEND_CALL_ONLY,
    SIGNER_FACTORY,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.multisend import multi_send_data
from onchain.protocol.safe import create_signer_data
from onchain.protocol.types import Address, Call, parse_hex, to_address
from tests.onchain.protocol.vectors import (
    EOA,
    NAMES,
    OPERATION_NAMES,
    OPERATIONS,
    RECIPIENT,
    VECTORS,
    public_key,
)

SEND = Call(to=RECIPIENT, value_wei=10**18)
OTHER = Call(to=EOA, value_wei=0, data=b"\x01\x02")

plain_calls = st.builds(
    Call,
    to=st.binary(min_size=20, max_size=20).map(Address),
    value_wei=st.integers(0, 2**256 - 1),
    data=st.binary(max_size=80),
)


@given(st.lists(plain_calls, min_size=1, max_size=4))
def test_calls_are_read_back(calls):
    assert decode_call_data(calls_call_data(calls)) == calls


@pytest.mark.parametrize(("fields", "_hashes"), OPERATIONS, ids=OPERATION_NAMES)
def test_call_data_is_that_of_abstractionkit(fields, _hashes):
    data = parse_hex(fields["callData"])

    assert calls_call_data(decode_call_data(data)) == data


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_the_first_operation_creates_the_signer_swaps_it_in_and_sends(vector):
    verifiers = int(vector["verifiers"], 16)
    swap = call_data(
        "swapOwner(address,address,address)",
        to_address("0x" + "0" * 39 + "1"),
        to_address("0xfD90FAd33ee8b58f32c00aceEad1358e4AFC23f9"),
        to_address(vector["signer"]),
    )

    calls = decode_call_data(parse_hex(vector["ops"][0]["callData"]))

    create = create_signer_data(public_key=public_key(vector), verifiers=verifiers)
    assert calls[:2] == [
        Call(to=SIGNER_FACTORY, value_wei=0, data=create),
        Call(to=to_address(vector["account"]), value_wei=0, data=swap),
    ]
    assert calls[2:] == [SEND]


def test_one_call_goes_straight_to_its_target():
    assert calls_call_data([OTHER]) == execute_call_data(OTHER)
    assert MULTI_SEND not in calls_call_data([OTHER])
    assert MULTI_SEND in calls_call_data([OTHER, SEND])


@pytest.mark.parametrize(
    "calls",
    [[], [replace(SEND, operation=1)], [SEND, replace(OTHER, operation=1)]],
    ids=["none", "delegatecall", "delegatecall in a batch"],
)
def test_only_plain_calls_become_an_operation(calls):
    with pytest.raises(EncodingError):
        calls_call_data(calls)


@pytest.mark.parametrize(
    "change",
    [{"value_wei": -1}, {"value_wei": 2**256}, {"to": bytes(19)}],
    ids=str,
)
def test_a_call_outside_its_widths_is_refused(change):
    with pytest.raises(EncodingError):
        execute_call_data(replace(SEND, **change))


@pytest.mark.parametrize(
    "call",
    [
        replace(SEND, operation=1),
        Call(to=MULTI_SEND_CALL_ONLY, value_wei=0, operation=1),
        Call(to=MULTI_SEND, value_wei=1, operation=1),
        replace(SEND, operation=2),
        Call(to=MULTI_SEND, value_wei=0, operation=2),
    ],
)
def test_only_the_pinned_multi_send_is_delegatecalled(call):
    with pytest.raises(EncodingError):
        execute_call_data(call)
    data = call_data(EXECUTE, call.to, call.value_wei, call.data, call.operation)
    with pytest.raises(EncodingError):
        decode_call_data(data)


@pytest.mark.parametrize(
    "calls",
    [[], [SEND], [SEND, replace(OTHER, operation=1)]],
    ids=["none", "one", "nested delegatecall"],
)
def test_a_batch_that_we_would_not_make_is_refused(calls):
    batch = multi_send_data(calls)

    with pytest.raises(EncodingError):
        decode_call_data(call_data(EXECUTE, MULTI_SEND, 0, batch, 1))


def test_a_batch_that_is_only_called_is_a_plain_call():
    call = Call(to=MULTI_SEND, value_wei=0, data=multi_send_data([SEND, OTHER]))

    assert decode_call_data(calls_call_data([call])) == [call]


def test_other_call_data_is_refused():
    data = calls_call_data([OTHER])
    silent = call_data("executeUserOp(address,uint256,bytes,uint8)", EOA, 0, b"", 0)

    for other in (b"", data[:4], data + b"\x00", data + bytes(32), data[:-1], silent):
        with pytest.raises(EncodingError):
            decode_call_data(other)
