"""Changes of who may act for an account, as the account's calls to itself.

Sources: ``OwnerManager.sol``, ``ModuleManager.sol``, ``GuardManager.sol`` and
``FallbackManager.sol`` of Safe 1.4.1. Owners and modules are linked lists there: who
takes one out names the one before it, and the sentinel stands before the first.
"""

from __future__ import annotations

from collections.abc import Sequence

from onchain.protocol.abi import call_data
from onchain.protocol.deployments import SAFE_4337_MODULE
from onchain.protocol.errors import EncodingError
from onchain.protocol.owners import require_new_owner
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Call,
    checksum_address,
    require_address,
)

SWAP_OWNER = "swapOwner(address,address,address)"
REMOVE_OWNER = "removeOwner(address,address,uint256)"
CHANGE_THRESHOLD = "changeThreshold(uint256)"
DISABLE_MODULE = "disableModule(address,address)"
SET_GUARD = "setGuard(address)"
ENABLE_MODULE = "enableModule(address)"
SET_FALLBACK_HANDLER = "setFallbackHandler(address)"


def previous_of(member: Address, members: Sequence[Address]) -> Address:
    """Return what stands before a member of a linked list: the sentinel at its head.

    Args:
        members: the whole list in the Safe's own order.

    Raises:
        EncodingError: it is not in the list, or the list is none that a Safe has.
    """
    if len(set(members)) != len(members):
        raise EncodingError("a list that names somebody twice")
    if member not in members:
        raise EncodingError(f"{checksum_address(member)} is not in the list")
    place = members.index(member)
    return SENTINEL_ADDRESS if place == 0 else members[place - 1]


def require_threshold(threshold: int, *, owner_count: int) -> int:
    """Return the same number as one that so many owners can reach.

    Raises:
        EncodingError: below 1, or above the owners.
    """
    if not 1 <= threshold <= owner_count:
        raise EncodingError(f"{threshold} of {owner_count} owners cannot approve")
    return threshold


def swap_owner_call(
    *, account: Address, previous: Address, removed: Address, new: Address
) -> Call:
    """Return the account's call to itself that puts one owner in another's place.

    Raises:
        EncodingError: what a Safe refuses as an owner, or twice the same one.
    """
    _require_link(previous, removed, account=account)
    if require_new_owner(new, account=account) in {removed, previous}:
        raise EncodingError(f"{checksum_address(new)} is an owner already")
    return _to_itself(account, call_data(SWAP_OWNER, previous, removed, new))


def remove_owner_call(
    *, account: Address, previous: Address, removed: Address, threshold: int
) -> Call:
    """Return the account's call to itself that takes an owner out, and sets how many
    of the others must approve.

    Raises:
        EncodingError: nobody that a Safe has as an owner, or a threshold below 1 or
            too wide.
    """
    _require_link(previous, removed, account=account)
    _require_some(threshold)
    return _to_itself(account, call_data(REMOVE_OWNER, previous, removed, threshold))


def change_threshold_call(*, account: Address, threshold: int) -> Call:
    """Return the account's call to itself that sets how many must approve.

    Raises:
        EncodingError: a threshold below 1 or too wide.
    """
    _require_some(threshold)
    return _to_itself(account, call_data(CHANGE_THRESHOLD, threshold))


def disable_module_call(
    *, account: Address, previous: Address, module: Address
) -> Call:
    """Return the account's call to itself that takes a module out.

    Raises:
        EncodingError: no module that a Safe has, or the one that the operations of
            its passkeys come through.
    """
    _require_link(previous, module)
    if module == SAFE_4337_MODULE:
        raise EncodingError("without this module no passkey could act any more")
    return _to_itself(account, call_data(DISABLE_MODULE, previous, module))


def remove_guard_call(*, account: Address) -> Call:
    """Return the account's call to itself after which no guard stands in its way."""
    return _to_itself(account, call_data(SET_GUARD, ZERO_ADDRESS))


def enable_4337_call(*, account: Address) -> Call:
    """Return the account's call to itself that lets operations act for it."""
    return _to_itself(account, call_data(ENABLE_MODULE, SAFE_4337_MODULE))


def restore_handler_call(*, account: Address) -> Call:
    """Return the account's call to itself after which operations are checked again."""
    return _to_itself(account, call_data(SET_FALLBACK_HANDLER, SAFE_4337_MODULE))


def _require_link(
    previous: Address, member: Address, *, account: Address | None = None
) -> None:
    if member in {ZERO_ADDRESS, SENTINEL_ADDRESS, account}:
        raise EncodingError(f"{checksum_address(member)} is in no list")
    if previous in {ZERO_ADDRESS, member, account}:
        raise EncodingError(f"{checksum_address(previous)} stands before nobody")


def _require_some(threshold: int) -> None:
    if threshold < 1:
        raise EncodingError("the threshold is at least 1")


def _to_itself(account: Address, data: bytes) -> Call:
    return Call(to=require_address(account), value_wei=0, data=data)
