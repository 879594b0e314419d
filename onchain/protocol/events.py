"""Events that the follower reads.

Sources: ``IEntryPoint.sol`` of account-abstraction v0.7.0; ``SafeProxyFactory.sol``,
``ISafe.sol``, ``OwnerManager.sol``, ``ModuleManager.sol``, ``GuardManager.sol`` and
``FallbackManager.sol`` of Safe 1.4.1, and ``SafeMigration.sol`` after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from onchain.protocol.abi import decode, keccak
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, Bytes32

USER_OPERATION_EVENT = keccak(
    b"UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)"
)
USER_OPERATION_REVERT_REASON = keccak(
    b"UserOperationRevertReason(bytes32,address,uint256,bytes)"
)
PROXY_CREATION = keccak(b"ProxyCreation(address,address)")
SAFE_RECEIVED = keccak(b"SafeReceived(address,uint256)")
# An account's own word that its owners or its threshold are others now. Any contract
# can emit the same: they say where to look, never what is there.
ADDED_OWNER = keccak(b"AddedOwner(address)")
REMOVED_OWNER = keccak(b"RemovedOwner(address)")
CHANGED_THRESHOLD = keccak(b"ChangedThreshold(uint256)")
OWNER_EVENTS = (ADDED_OWNER, REMOVED_OWNER, CHANGED_THRESHOLD)
# What may act for an account beside its owners; the last is of Safe's migrations.
CONFIGURATION_EVENTS = (
    keccak(b"EnabledModule(address)"),
    keccak(b"DisabledModule(address)"),
    keccak(b"ChangedGuard(address)"),
    keccak(b"ChangedFallbackHandler(address)"),
    keccak(b"ChangedMasterCopy(address)"),
)
ACCOUNT_EVENTS = (*OWNER_EVENTS, *CONFIGURATION_EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOperationOutcome:
    """What the EntryPoint says became of an operation."""

    operation_hash: Bytes32
    sender: Address
    nonce: int
    succeeded: bool
    actual_gas_cost_wei: int
    actual_gas_used: int


def parse_user_operation_event(
    topics: tuple[Bytes32, ...], data: bytes
) -> UserOperationOutcome:
    """Return the outcome in a UserOperationEvent.

    Raises:
        EncodingError: another event, or not canonical.
    """
    if len(topics) != 4 or topics[0] != USER_OPERATION_EVENT:
        raise EncodingError("not a UserOperationEvent")
    nonce, succeeded, cost, used = decode(
        ["uint256", "bool", "uint256", "uint256"], data
    )
    return UserOperationOutcome(
        operation_hash=topics[1],
        sender=topic_address(topics[2]),
        nonce=nonce,
        succeeded=succeeded,
        actual_gas_cost_wei=cost,
        actual_gas_used=used,
    )


def parse_revert_reason(
    topics: tuple[Bytes32, ...], data: bytes
) -> tuple[Bytes32, bytes]:
    """Return (operation hash, revert data) of a UserOperationRevertReason.

    Raises:
        EncodingError: another event, or not canonical.
    """
    if len(topics) != 3 or topics[0] != USER_OPERATION_REVERT_REASON:
        raise EncodingError("not a UserOperationRevertReason")
    _nonce, reason = decode(["uint256", "bytes"], data)
    return topics[1], reason


def parse_safe_received(
    topics: tuple[Bytes32, ...], data: bytes
) -> tuple[Address, int]:
    """Return (sender, value in wei) of a SafeReceived.

    Raises:
        EncodingError: another event, or not canonical.
    """
    if len(topics) != 2 or topics[0] != SAFE_RECEIVED:
        raise EncodingError("not a SafeReceived")
    (value_wei,) = decode(["uint256"], data)
    return topic_address(topics[1]), value_wei


def topic_address(topic: Bytes32) -> Address:
    """Return the address in an indexed argument."""
    return Address(topic[12:])
