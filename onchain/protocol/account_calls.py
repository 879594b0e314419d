"""What an operation makes its account do: the call data of the Safe's 4337 module.

Source: ``Safe4337Module.sol`` 0.3.0, ``executeUserOpWithErrorString``: one call goes
to its target, several go through a delegatecall of MultiSend.
"""

from __future__ import annotations

from collections.abc import Sequence

from onchain.protocol.abi import call_data, decode_call
from onchain.protocol.deployments import MULTI_SEND
from onchain.protocol.errors import EncodingError
from onchain.protocol.multisend import (
    CALL,
    DELEGATECALL,
    decode_multi_send,
    multi_send_data,
)
from onchain.protocol.types import Call, to_address

EXECUTE = "executeUserOpWithErrorString(address,uint256,bytes,uint8)"


def execute_call_data(call: Call) -> bytes:
    """Return ``executeUserOpWithErrorString`` call data for one call.

    Raises:
        EncodingError: a value too wide, or a delegatecall to anything but the
            pinned MultiSend, which alone may run in the account's own storage.
    """
    is_batch = call.to == MULTI_SEND and call.value_wei == 0
    if call.operation != CALL and not (call.operation == DELEGATECALL and is_batch):
        raise EncodingError("only the pinned MultiSend may be delegatecalled")
    return call_data(EXECUTE, call.to, call.value_wei, call.data, call.operation)


def calls_call_data(calls: Sequence[Call]) -> bytes:
    """Return call data that makes the calls in order, all or none of them.

    Raises:
        EncodingError: no call, a delegatecall among them, or a value too wide.
    """
    if not calls:
        raise EncodingError("an operation makes at least one call")
    if any(call.operation != CALL for call in calls):
        raise EncodingError("an operation makes plain calls only")
    if len(calls) == 1:
        return execute_call_data(calls[0])
    return execute_call_data(
        Call(
            to=MULTI_SEND,
            value_wei=0,
            data=multi_send_data(calls),
            operation=DELEGATECALL,
        )
    )


def decode_call_data(data: bytes) -> list[Call]:
    """Return the calls of an operation; the inverse of ``calls_call_data``.

    Raises:
        EncodingError: not exactly the bytes that ``calls_call_data`` makes.
    """
    to, value_wei, inner, operation = decode_call(EXECUTE, data)
    if operation == CALL:
        calls = [Call(to=to_address(to), value_wei=value_wei, data=inner)]
    else:
        calls = decode_multi_send(inner)
    if calls_call_data(calls) != data:
        raise EncodingError("not the call data of an operation made here")
    return calls
