"""What keeps every operation of an account from going through, and the way out.

The EntryPoint calls ``validateUserOp`` on the account, which has no such function and
hands it to its fallback handler (``FallbackManager.sol``, Safe 1.4.1). Only Safe's 4337
module answers there by the owners' signatures, and it carries out only where it is
enabled. Where it is not, nothing that this site could prepare would work, also not what
would put it back: the owners do that with a transaction of the Safe itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from onchain.change_errors import AccountBlocked
from onchain.models import ForeignConfiguration, Safe
from onchain.protocol.owner_changes import enable_4337_call, restore_handler_call
from onchain.protocol.types import Address, Call
from onchain.services import configurations

# By the kind of finding, the call of the account that takes it out of the way.
REMEDIES = {
    "missing module": enable_4337_call,
    "fallback handler": restore_handler_call,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """One thing in the way, and what the account must call to be rid of it."""

    kind: str
    call: Call


def in_way(foreign: ForeignConfiguration | None, *, safe: Safe) -> list[Barrier]:
    """Return what stands in the way of the account's operations: nothing, mostly."""
    kinds = set() if foreign is None else {kind for kind, _at in foreign.items}
    account = Address(safe.address)
    return [
        Barrier(kind=kind, call=remedy(account=account))
        for kind, remedy in REMEDIES.items()
        if kind in kinds
    ]


def stand_in_way(safe: Safe) -> bool:
    """Whether no operation of the account can go through, as it was read last."""
    return bool(in_way(configurations.foreign_in(safe), safe=safe))


def require_none(safe: Safe) -> None:
    """Refuse to prepare what cannot work.

    Raises:
        AccountBlocked: with words and the next step.
    """
    if stand_in_way(safe):
        raise AccountBlocked
