"""Several calls in one: Safe's MultiSend and Multicall3's ``aggregate3``.

Sources: ``contracts/libraries/MultiSend.sol`` of Safe 1.4.1; Multicall3,
https://www.multicall3.com. MultiSend's entries are packed, not ABI-encoded:
uint8 operation || address || uint256 value || uint256 length || data.
"""

from __future__ import annotations

from collections.abc import Sequence

from onchain.protocol.abi import call_data, decode_call
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, Call, require_address, uint_bytes

CALL = 0
DELEGATECALL = 1

MULTI_SEND_SIGNATURE = "multiSend(bytes)"
AGGREGATE3_SIGNATURE = "aggregate3((address,bool,bytes)[])"

_HEAD_LENGTH = 1 + 20 + 32 + 32  # bytes before an entry's data


def multi_send_data(calls: Sequence[Call]) -> bytes:
    """Return the call data of ``multiSend(bytes)``; the calls run in their order.

    Raises:
        EncodingError: a value wider than 256 bits, or an operation that is neither
            a call nor a delegatecall.
    """
    return call_data(MULTI_SEND_SIGNATURE, b"".join(map(_entry, calls)))


def decode_multi_send(data: bytes) -> list[Call]:
    """Return the calls of a ``multiSend(bytes)``.

    Raises:
        EncodingError: not canonical call data of that function.
    """
    (packed,) = decode_call(MULTI_SEND_SIGNATURE, data)
    calls = []
    while packed:
        call, packed = _take_entry(packed)
        calls.append(call)
    return calls


def aggregate3_data(calls: Sequence[Call], allow_failure: bool) -> bytes:
    """Return the call data of ``aggregate3((address,bool,bytes)[])``.

    Raises:
        EncodingError: a call carries a value or is a delegatecall: Multicall3
            offers neither here.
    """
    for call in calls:
        if call.value_wei != 0 or call.operation != CALL:
            raise EncodingError("aggregate3 makes plain calls without value")
    entries = [(require_address(call.to), allow_failure, call.data) for call in calls]
    return call_data(AGGREGATE3_SIGNATURE, entries)


def _entry(call: Call) -> bytes:
    if call.operation not in {CALL, DELEGATECALL}:
        raise EncodingError(f"no such operation: {call.operation}")
    return b"".join(
        (
            uint_bytes(call.operation, 8),
            require_address(call.to),
            uint_bytes(call.value_wei, 256),
            uint_bytes(len(call.data), 256),
            call.data,
        )
    )


def _take_entry(packed: bytes) -> tuple[Call, bytes]:
    head, rest = packed[:_HEAD_LENGTH], packed[_HEAD_LENGTH:]
    length = int.from_bytes(head[53:], "big")
    if len(head) < _HEAD_LENGTH or len(rest) < length:
        raise EncodingError("a MultiSend entry is cut short")
    if head[0] not in {CALL, DELEGATECALL}:
        raise EncodingError(f"no such operation: {head[0]}")
    call = Call(
        to=Address(head[1:21]),
        value_wei=int.from_bytes(head[21:53], "big"),
        data=rest[:length],
        operation=head[0],
    )
    return call, rest[length:]
