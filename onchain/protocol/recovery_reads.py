"""What the recovery module answers and emits.

Source: the published interface of Candide's social recovery module 0.0.1. The topic of
``newOwners`` is the hash of the list alone: who they are is in the request, or in the
call. Anybody can emit the same events elsewhere: they count from the module's address
only, and say where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.protocol.abi import decode, keccak
from onchain.protocol.deployments import RECOVERY_MODULES
from onchain.protocol.errors import EncodingError
from onchain.protocol.events import topic_address
from onchain.protocol.types import Address, Bytes32, to_address

IS_GUARDIAN = "isGuardian(address,address)"  # account, guardian
GUARDIANS_COUNT = "guardiansCount(address)"
GUARDIAN_THRESHOLD = "threshold(address)"
GET_GUARDIANS = "getGuardians(address)"
RECOVERY_NONCE = "nonce(address)"
GET_RECOVERY_REQUEST = "getRecoveryRequest(address)"
GET_RECOVERY_APPROVALS = "getRecoveryApprovals(address,address[],uint256)"
# Account, guardian, new owners, new threshold.
HAS_GUARDIAN_APPROVED = "hasGuardianApproved(address,address,address[],uint256)"
# Account, new owners, new threshold, nonce.
GET_RECOVERY_HASH = "getRecoveryHash(address,address[],uint256,uint256)"
DOMAIN_SEPARATOR = "domainSeparator()"
IS_MODULE_ENABLED = "isModuleEnabled(address)"  # of the account, module

GUARDIAN_ADDED = keccak(b"GuardianAdded(address,address)")
GUARDIAN_REVOKED = keccak(b"GuardianRevoked(address,address)")
# Not the account's own ChangedThreshold, which has one argument.
GUARDIAN_THRESHOLD_CHANGED = keccak(b"ChangedThreshold(address,uint256)")
RECOVERY_EXECUTED = keccak(
    b"RecoveryExecuted(address,address[],uint256,uint256,uint64,uint256)"
)
RECOVERY_FINALIZED = keccak(b"RecoveryFinalized(address,address[],uint256,uint256)")
RECOVERY_CANCELED = keccak(b"RecoveryCanceled(address,uint256)")
NONCE_INVALIDATED = keccak(b"NonceInvalidated(address,uint256)")
RECOVERY_EVENTS = (
    GUARDIAN_ADDED,
    GUARDIAN_REVOKED,
    GUARDIAN_THRESHOLD_CHANGED,
    RECOVERY_EXECUTED,
    RECOVERY_FINALIZED,
    RECOVERY_CANCELED,
    NONCE_INVALIDATED,
)


MODULES = frozenset(RECOVERY_MODULES.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRequest:
    """A recovery that guardians started and that waits for its end."""

    approvals: int
    new_threshold: int
    execute_after: int  # Unix seconds of the chain; from then on it can be finalised
    new_owners: Sequence[Address]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryExecuted:
    """Guardians started a recovery: the delay runs."""

    account: Address
    new_owners_hash: Bytes32  # as ``recovery.owners_hash``
    new_threshold: int
    nonce: int  # the one that guardians signed; the account's is the next now
    execute_after: int  # Unix seconds of the chain
    approvals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryFinalized:
    """The owners of an account were replaced."""

    account: Address
    new_owners_hash: Bytes32
    new_threshold: int
    nonce: int


def decode_guardians(data: bytes) -> list[Address]:
    """Return the guardians that ``getGuardians`` answered, in the module's order.

    Raises:
        EncodingError: not the canonical encoding of a list of addresses.
    """
    (guardians,) = decode(["address[]"], data)
    return [to_address(guardian) for guardian in guardians]


def decode_request(data: bytes) -> RecoveryRequest | None:
    """Return what ``getRecoveryRequest`` answered, None where nothing is pending.

    Raises:
        EncodingError: not the canonical encoding of a request.
    """
    ((approvals, new_threshold, execute_after, new_owners),) = decode(
        ["(uint256,uint256,uint64,address[])"], data
    )
    if execute_after == 0:
        return None
    return RecoveryRequest(
        approvals=approvals,
        new_threshold=new_threshold,
        execute_after=execute_after,
        new_owners=[to_address(owner) for owner in new_owners],
    )


def decode_number(data: bytes) -> int:
    """Return a nonce, a threshold, or a count of guardians or of approvals.

    Raises:
        EncodingError: not one word.
    """
    (number,) = decode(["uint256"], data)
    return int(number)


def decode_flag(data: bytes) -> bool:
    """Return what ``isGuardian`` or ``hasGuardianApproved`` answered.

    Raises:
        EncodingError: neither 0 nor 1 in one word.
    """
    (flag,) = decode(["bool"], data)
    return bool(flag)


def parse_guardian_event(
    topics: tuple[Bytes32, ...], data: bytes
) -> tuple[Address, Address]:
    """Return (account, guardian) of a GuardianAdded or GuardianRevoked.

    Raises:
        EncodingError: another event, or not canonical.
    """
    _require(topics, 3, GUARDIAN_ADDED, GUARDIAN_REVOKED)
    decode([], data)
    return topic_address(topics[1]), topic_address(topics[2])


def parse_number_event(topics: tuple[Bytes32, ...], data: bytes) -> tuple[Address, int]:
    """Return the account, and the threshold of a ChangedThreshold or the nonce of a
    RecoveryCanceled or NonceInvalidated.

    Raises:
        EncodingError: another event, or not canonical.
    """
    known = (GUARDIAN_THRESHOLD_CHANGED, RECOVERY_CANCELED, NONCE_INVALIDATED)
    _require(topics, 2, *known)
    return topic_address(topics[1]), decode_number(data)


def parse_recovery_executed(
    topics: tuple[Bytes32, ...], data: bytes
) -> RecoveryExecuted:
    """Return what a RecoveryExecuted says.

    Raises:
        EncodingError: another event, or not canonical.
    """
    _require(topics, 3, RECOVERY_EXECUTED)
    threshold, nonce, after, approvals = decode(
        ["uint256", "uint256", "uint64", "uint256"], data
    )
    return RecoveryExecuted(
        account=topic_address(topics[1]),
        new_owners_hash=topics[2],
        new_threshold=threshold,
        nonce=nonce,
        execute_after=after,
        approvals=approvals,
    )


def parse_recovery_finalized(
    topics: tuple[Bytes32, ...], data: bytes
) -> RecoveryFinalized:
    """Return what a RecoveryFinalized says.

    Raises:
        EncodingError: another event, or not canonical.
    """
    _require(topics, 3, RECOVERY_FINALIZED)
    threshold, nonce = decode(["uint256", "uint256"], data)
    return RecoveryFinalized(
        account=topic_address(topics[1]),
        new_owners_hash=topics[2],
        new_threshold=threshold,
        nonce=nonce,
    )


def account_of(*, emitter: Address, topics: Sequence[Bytes32]) -> Address | None:
    """Return the account that a log of a module is about, None for any other log."""
    is_event = emitter in MODULES and topics[0] in RECOVERY_EVENTS
    return topic_address(topics[1]) if is_event and len(topics) > 1 else None


def _require(topics: tuple[Bytes32, ...], count: int, *known: Bytes32) -> None:
    if len(topics) != count or topics[0] not in known:
        raise EncodingError("not such an event of the recovery module")
