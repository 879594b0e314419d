"""Several calls in one, against safe-eth-py."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.abi import decode as abi_decode
from hypothesis import given
from hypothesis import strategies as st
from safe_eth.safe.multi_send import MultiSend, MultiSendOperation, MultiSendTx

from onchain.protocol.abi import call_data, selector
from onchain.protocol.errors import EncodingError
from onchain.protocol.multisend import (
    aggregate3_data,
    decode_multi_send,
    multi_send_data,
)
from onchain.protocol.types import Address, Call, checksum_address
from tests.onchain.protocol.vectors import EOA, RECIPIENT

SEND = Call(to=RECIPIENT, value_wei=10**18)
CALL_WITH_DATA = Call(to=EOA, value_wei=0, data=b"\x01\x02\x03")

calls = st.builds(
    Call,
    to=st.binary(min_size=20, max_size=20).map(Address),
    value_wei=st.integers(0, 2**256 - 1),
    data=st.binary(max_size=100),
    operation=st.integers(0, 1),
)


@given(st.lists(calls, max_size=5))
def test_calls_are_read_back(items):
    assert decode_multi_send(multi_send_data(items)) == items


@pytest.mark.parametrize(
    "items",
    [
        [SEND],
        [SEND, CALL_WITH_DATA],
        [replace(CALL_WITH_DATA, operation=1), replace(SEND, value_wei=0)],
        [replace(SEND, value_wei=2**256 - 1, data=bytes(33))],
    ],
)
def test_entries_are_those_of_safe_eth_py(items):
    expected = b"".join(
        MultiSendTx(
            MultiSendOperation(item.operation),
            checksum_address(item.to),
            item.value_wei,
            item.data,
        ).encoded_data
        for item in items
    )

    data = multi_send_data(items)

    assert data == call_data("multiSend(bytes)", expected)
    assert len(MultiSend.from_transaction_data(data)) == len(items)


@pytest.mark.parametrize(
    "change",
    [
        {"value_wei": -1},
        {"value_wei": 2**256},
        {"operation": 2},
        {"operation": -1},
        {"to": bytes(19)},
    ],
    ids=str,
)
def test_an_entry_outside_its_widths_is_refused(change):
    with pytest.raises(EncodingError):
        multi_send_data([replace(SEND, **change)])


@pytest.mark.parametrize(
    "packed",
    [
        b"\x00",
        bytes(84),
        bytes(84) + b"\x01",
        b"\x02" + bytes(84),
        bytes(85) + bytes(10),
    ],
    ids=["one byte", "short head", "short data", "operation 2", "trailing bytes"],
)
def test_packed_bytes_that_are_no_entries_are_refused(packed):
    with pytest.raises(EncodingError):
        decode_multi_send(call_data("multiSend(bytes)", packed))


def test_another_function_is_no_multi_send():
    data = multi_send_data([SEND])

    for other in (b"", data[:4], b"\x00" + data[1:], data + bytes(32), data[:-32]):
        with pytest.raises(EncodingError):
            decode_multi_send(other)


@pytest.mark.parametrize("allow_failure", [True, False])
def test_aggregate3_carries_target_flag_and_data(allow_failure):
    items = [CALL_WITH_DATA, replace(SEND, value_wei=0)]

    data = aggregate3_data(items, allow_failure)

    assert data[:4] == selector("aggregate3((address,bool,bytes)[])")
    assert data[:4].hex() == "82ad56cb"
    (decoded,) = abi_decode(["(address,bool,bytes)[]"], data[4:])
    assert [(bytes.fromhex(to[2:]), flag, raw) for to, flag, raw in decoded] == [
        (item.to, allow_failure, item.data) for item in items
    ]


@pytest.mark.parametrize("change", [{"value_wei": 1}, {"operation": 1}], ids=str)
def test_aggregate3_makes_plain_calls_only(change):
    with pytest.raises(EncodingError):
        aggregate3_data([replace(CALL_WITH_DATA, **change)], allow_failure=False)
