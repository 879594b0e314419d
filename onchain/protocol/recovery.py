"""Recovery with guardians: what owners and guardians call, and what guardians sign.

Sources: the social recovery module 0.0.1 of Candide, from its published interface
(selectors and types as in npm abstractionkit 0.2.41); ``ModuleManager.sol`` of Safe
1.4.1; EIP-712 for the hash. Guardians are a linked list as owners are: who takes one
out names the one before it.

Guardians whose approvals reach the threshold start a request; after the module's delay
anybody finalises it, and it replaces every owner. Whether the new owners will do is
looked at only then: see ``recovery_owners``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.protocol.abi import (
    call_data,
    encode,
    keccak,
    typed_data_digest,
)
from onchain.protocol.deployments import RECOVERY_MODULES
from onchain.protocol.errors import EncodingError
from onchain.protocol.owner_changes import previous_of
from onchain.protocol.typed_data import DOMAIN_TYPEHASH
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Bytes32,
    Call,
    checksum_address,
    require_address,
)

ENABLE_MODULE = "enableModule(address)"
ADD_GUARDIAN = "addGuardianWithThreshold(address,uint256)"
REVOKE_GUARDIAN = "revokeGuardianWithThreshold(address,address,uint256)"
CHANGE_GUARDIAN_THRESHOLD = "changeThreshold(uint256)"
CANCEL_RECOVERY = "cancelRecovery()"
INVALIDATE_NONCE = "invalidateNonce()"
CONFIRM_RECOVERY = "confirmRecovery(address,address[],uint256,bool)"
MULTI_CONFIRM_RECOVERY = (
    "multiConfirmRecovery(address,address[],uint256,(address,bytes)[],bool)"
)
EXECUTE_RECOVERY = "executeRecovery(address,address[],uint256)"
FINALIZE_RECOVERY = "finalizeRecovery(address)"

DOMAIN_NAME = b"Social Recovery Module"
DOMAIN_VERSION = b"0.0.1"
EXECUTE_RECOVERY_TYPEHASH = keccak(
    b"ExecuteRecovery(address wallet,address[] newOwners,uint256 newThreshold,"
    b"uint256 nonce)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Who is to own an account in place of all its owners."""

    module: Address
    account: Address
    new_owners: Sequence[Address]
    new_threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianSignature:
    """One guardian's signature of the recovery's hash."""

    guardian: Address
    signature: bytes  # r || s || v (27 or 28), or what the contract reads


def module_of(delay: int) -> Address:
    """Return the module that waits so many seconds: 20 bytes.

    Raises:
        EncodingError: no module waits that long.
    """
    try:
        return RECOVERY_MODULES[delay]
    except KeyError:
        raise EncodingError(f"no recovery module waits {delay} seconds") from None


def delay_of(module: Address) -> int | None:
    """Return how many seconds a module waits, None for any other contract."""
    for delay, address in RECOVERY_MODULES.items():
        if address == module:
            return delay
    return None


# --- The owners' side: calls of the account ------------------------------------------


def enable_module_call(*, account: Address, module: Address) -> Call:
    """Return the account's call to itself that lets the module replace its owners.

    Raises:
        EncodingError: not one of the recovery modules.
    """
    if delay_of(module) is None:
        raise EncodingError(f"{checksum_address(module)} is no recovery module")
    return _call(account, ENABLE_MODULE, module)


def add_guardian_call(
    *,
    module: Address,
    account: Address,
    guardian: Address,
    threshold: int,
    owners: Sequence[Address],
    guardians: Sequence[Address],
) -> Call:
    """Return the account's call that adds a guardian and sets the threshold.

    Args:
        owners: the account's own, as the module asks it for them.
        guardians: those before this call.

    Raises:
        EncodingError: zero, the sentinel, the account, an owner or a guardian, or a
            threshold outside 1 .. number of guardians after this call.
    """
    if guardian in {ZERO_ADDRESS, SENTINEL_ADDRESS, account}:
        raise EncodingError(f"{checksum_address(guardian)} cannot be a guardian")
    if guardian in owners:
        raise EncodingError(f"{checksum_address(guardian)} is an owner")
    if guardian in guardians:
        raise EncodingError(f"{checksum_address(guardian)} is a guardian already")
    require_guardian_threshold(threshold, guardian_count=len(guardians) + 1)
    return _call(module, ADD_GUARDIAN, guardian, threshold)


def revoke_guardian_call(
    *,
    module: Address,
    guardian: Address,
    threshold: int,
    guardians: Sequence[Address],
) -> Call:
    """Return the account's call that takes a guardian out and sets the threshold.

    Args:
        threshold: 0 with the last guardian, for then there is none to approve.
        guardians: all of them before this call, in the module's own order.

    Raises:
        EncodingError: no guardian, or a threshold that the rest cannot reach.
    """
    previous = previous_of(guardian, guardians)
    require_guardian_threshold(threshold, guardian_count=len(guardians) - 1)
    return _call(module, REVOKE_GUARDIAN, previous, guardian, threshold)


def change_guardian_threshold_call(
    *, module: Address, threshold: int, guardian_count: int
) -> Call:
    """Return the account's call that sets how many guardians must approve.

    Raises:
        EncodingError: a threshold that the guardians cannot reach.
    """
    require_guardian_threshold(threshold, guardian_count=guardian_count)
    return _call(module, CHANGE_GUARDIAN_THRESHOLD, threshold)


def cancel_recovery_call(*, module: Address) -> Call:
    """Return the account's call that ends the pending request."""
    return _call(module, CANCEL_RECOVERY)


def invalidate_nonce_call(*, module: Address) -> Call:
    """Return the account's call after which no approval of before counts any more."""
    return _call(module, INVALIDATE_NONCE)


def require_guardian_threshold(threshold: int, *, guardian_count: int) -> int:
    """Return the same number as one that so many guardians can reach.

    Raises:
        EncodingError: outside 1 .. number of guardians; 0 is for no guardian at all.
    """
    lowest = 1 if guardian_count > 0 else 0
    if not lowest <= threshold <= guardian_count:
        raise EncodingError(f"{threshold} of {guardian_count} guardians cannot approve")
    return threshold


# --- The guardians' side: calls of anybody -------------------------------------------


def confirm_recovery_call(recovery: Recovery, *, execute: bool) -> Call:
    """Return a guardian's own call that approves, and starts the delay if asked to.

    Raises:
        EncodingError: a value has no encoding in its width.
    """
    return _call(recovery.module, CONFIRM_RECOVERY, *_members(recovery), execute)


def multi_confirm_recovery_call(
    recovery: Recovery, *, signatures: Sequence[GuardianSignature], execute: bool
) -> Call:
    """Return anybody's call that hands in guardians' signatures, sorted by guardian.

    Raises:
        EncodingError: two signatures of one guardian, none at all, or an empty one,
            which the module takes for the sender's own word.
    """
    ordered = sorted(signatures, key=lambda item: require_address(item.guardian))
    if not ordered or len({item.guardian for item in ordered}) != len(ordered):
        raise EncodingError("each guardian signs once, and one at least")
    if not all(item.signature for item in ordered):
        raise EncodingError("a guardian's signature is empty")
    entries = [(item.guardian, item.signature) for item in ordered]
    members = (*_members(recovery), entries, execute)
    return _call(recovery.module, MULTI_CONFIRM_RECOVERY, *members)


def execute_recovery_call(recovery: Recovery) -> Call:
    """Return anybody's call that starts the delay once enough guardians approved.

    Raises:
        EncodingError: a value has no encoding in its width.
    """
    return _call(recovery.module, EXECUTE_RECOVERY, *_members(recovery))


def finalize_recovery_call(*, module: Address, account: Address) -> Call:
    """Return anybody's call that replaces the owners once the delay is over."""
    return _call(module, FINALIZE_RECOVERY, require_address(account))


# --- What guardians sign -------------------------------------------------------------


def recovery_hash(recovery: Recovery, *, chain_id: int, nonce: int) -> Bytes32:
    """Return the hash that guardians sign: 32 bytes.

    Hashed: ExecuteRecovery(address wallet,address[] newOwners,uint256 newThreshold,
    uint256 nonce)

    Args:
        nonce: the account's own at the module, which each start moves on.

    Raises:
        EncodingError: a value has no encoding in its width.
    """
    named = (DOMAIN_TYPEHASH, keccak(DOMAIN_NAME), keccak(DOMAIN_VERSION))
    domain = encode(
        ("bytes32", "bytes32", "bytes32", "uint256", "address"),
        (*named, chain_id, recovery.module),
    )
    struct = encode(
        ("bytes32", "address", "bytes32", "uint256", "uint256"),
        (
            EXECUTE_RECOVERY_TYPEHASH,
            recovery.account,
            owners_hash(recovery.new_owners),
            recovery.new_threshold,
            nonce,
        ),
    )
    return typed_data_digest(domain=domain, struct=struct)


def owners_hash(owners: Sequence[Address]) -> Bytes32:
    """Return the hash of a list of owners, as EIP-712 and indexed events have it."""
    return keccak(b"".join(bytes(12) + require_address(owner) for owner in owners))


def _members(recovery: Recovery) -> tuple[Address, list[Address], int]:
    owners = [require_address(owner) for owner in recovery.new_owners]
    return require_address(recovery.account), owners, recovery.new_threshold


def _call(to: Address, signature: str, *values: object) -> Call:
    return Call(to=require_address(to), value_wei=0, data=call_data(signature, *values))
