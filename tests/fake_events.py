"""Logs of the contracts that the follower reads, before their block is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onchain.protocol.abi import encode, selector
from onchain.protocol.deployments import ENTRY_POINT, SAFE_PROXY_FACTORY
from onchain.protocol.events import (
    PROXY_CREATION,
    SAFE_RECEIVED,
    USER_OPERATION_EVENT,
    USER_OPERATION_REVERT_REASON,
)
from onchain.protocol.types import Address, Bytes32


@dataclass(frozen=True, kw_only=True)
class Event:
    """A log before its block is known."""

    address: Address
    topics: tuple[Bytes32, ...]
    data: bytes = b""
    transaction_hash: Bytes32 = Bytes32(b"\x77" * 32)


def word(value: bytes) -> Bytes32:
    """Return an address as an indexed argument."""
    return Bytes32(value.rjust(32, b"\0"))


def outcome_event(
    *,
    operation_hash: bytes,
    sender: bytes,
    nonce: int,
    succeeded: bool = True,
    cost_wei: int = 130_000,
    gas_used: int = 130,
) -> Event:
    """Return the EntryPoint's UserOperationEvent."""
    return Event(
        address=ENTRY_POINT,
        topics=(
            Bytes32(USER_OPERATION_EVENT),
            Bytes32(operation_hash),
            word(sender),
            word(bytes(20)),
        ),
        data=encode(
            ["uint256", "bool", "uint256", "uint256"],
            [nonce, succeeded, cost_wei, gas_used],
        ),
    )


def revert_reason_event(
    *, operation_hash: bytes, sender: bytes, nonce: int, reason: str
) -> Event:
    """Return the EntryPoint's UserOperationRevertReason, with an Error(string)."""
    error = selector("Error(string)") + encode(["string"], [reason])
    return Event(
        address=ENTRY_POINT,
        topics=(
            Bytes32(USER_OPERATION_REVERT_REASON),
            Bytes32(operation_hash),
            word(sender),
        ),
        data=encode(["uint256", "bytes"], [nonce, error]),
    )


def proxy_creation_event(account: bytes) -> Event:
    """Return the SafeProxyFactory's ProxyCreation."""
    return Event(
        address=SAFE_PROXY_FACTORY,
        topics=(Bytes32(PROXY_CREATION), word(account)),
        data=word(b"\x29" * 20),
    )


def safe_received_event(
    *, account: bytes, sender: bytes, value_wei: int, **fields: Any
) -> Event:
    """Return an account's SafeReceived."""
    return Event(
        address=Address(account),
        topics=(Bytes32(SAFE_RECEIVED), word(sender)),
        data=encode(["uint256"], [value_wei]),
        **fields,
    )
