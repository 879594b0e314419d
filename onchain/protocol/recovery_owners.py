"""Whether an account would take the new owners of a recovery, before anybody is asked.

Sources: ``OwnerManager.sol`` and ``ModuleManager.sol`` of Safe 1.4.1. The recovery
module looks at the new owners when it finalises: a bad list starts, can never finish,
and stands in the way of the next one. So the list is checked here by the same rules,
and the account itself is asked, without anything being sent: the enabled module may
make it replace its owners, and ``eth_call`` tells whether that would work.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from onchain.protocol.abi import call_data, decode
from onchain.protocol.deployments import MULTI_SEND
from onchain.protocol.errors import EncodingError
from onchain.protocol.multisend import DELEGATECALL, multi_send_data
from onchain.protocol.owner_changes import (
    CHANGE_THRESHOLD,
    REMOVE_OWNER,
    SWAP_OWNER,
)
from onchain.protocol.owners import ADD_OWNER, require_new_owner
from onchain.protocol.recovery import Recovery
from onchain.protocol.safe import require_owners
from onchain.protocol.types import SENTINEL_ADDRESS, Address, Call, checksum_address

EXECUTE_FROM_MODULE = "execTransactionFromModuleReturnData(address,uint256,bytes,uint8)"


def require_recoverable(recovery: Recovery, *, guardians: Sequence[Address]) -> None:
    """Check new owners by the rules that finalising will apply.

    Args:
        guardians: all of the account's at the module.

    Raises:
        EncodingError: no owner, zero, the sentinel, the account itself, a guardian, a
            duplicate, or a threshold outside 1 .. number of owners.
    """
    for owner in recovery.new_owners:
        require_new_owner(owner, account=recovery.account)
        if owner in guardians:
            raise EncodingError(f"{checksum_address(owner)} is a guardian")
    require_owners(recovery.new_owners, recovery.new_threshold)


def simulation_data(recovery: Recovery, *, owners: Sequence[Address]) -> bytes:
    """Return call data that makes the account replace its owners, all or nothing.

    It is asked with ``eth_call``, from the enabled module to the account. Nothing about
    the new owners is checked here: the account is to answer that.

    Args:
        owners: the account's own, in its order.

    Raises:
        EncodingError: no owner to replace, or none to replace them.
    """
    return call_data(
        EXECUTE_FROM_MODULE,
        MULTI_SEND,
        0,
        multi_send_data(_replacement(recovery, owners)),
        DELEGATECALL,
    )


def would_replace(answer: bytes) -> bool:
    """Whether the account answered the simulation with success.

    Raises:
        EncodingError: not the answer of an account.
    """
    succeeded, _data = decode(["bool", "bytes"], answer)
    return bool(succeeded)


def _replacement(recovery: Recovery, owners: Sequence[Address]) -> list[Call]:
    """All owners but the first go, the first becomes a new one, the others come."""
    if not owners or not recovery.new_owners:
        raise EncodingError("an account has one owner at least")
    first, *others = recovery.new_owners
    steps = [
        call_data(REMOVE_OWNER, previous, removed, 1)
        for previous, removed in reversed(list(pairwise(owners)))
    ]
    if first != owners[0]:
        steps.append(call_data(SWAP_OWNER, SENTINEL_ADDRESS, owners[0], first))
    steps += [call_data(ADD_OWNER, owner, 1) for owner in others]
    steps.append(call_data(CHANGE_THRESHOLD, recovery.new_threshold))
    return [Call(to=recovery.account, value_wei=0, data=step) for step in steps]
