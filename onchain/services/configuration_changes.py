"""Drafting the removal of what may act for an account beside its owners (R67).

Modules and the guard, as the follower read them from the chain. What belongs to an
account of this site cannot be removed here. Nor can a foreign fallback handler, which
no operation goes through (``barriers``).
"""

from __future__ import annotations

from typing import Unpack

from onchain.change_errors import ConfigurationGone, ConfigurationUnread
from onchain.models import ForeignConfiguration, Safe, UserOperation
from onchain.protocol.errors import EncodingError
from onchain.protocol.owner_changes import previous_of
from onchain.protocol.types import Address
from onchain.services import change_lane, configurations
from onchain.services.change_lane import Asked, Columns

Kind = UserOperation.Kind
# What each kind of change removes, by the kind of finding.
FINDINGS = {
    Kind.DISABLE_MODULE: "module",
    Kind.REMOVE_GUARD: "guard",
}
KINDS = {finding: kind for kind, finding in FINDINGS.items()}


def draft_configuration(
    *,
    safe: Safe,
    kind: str,
    removed: Address,
    **asked: Unpack[Asked],
) -> UserOperation:
    """Leave a DRAFT that disables a module or removes the guard.

    Args:
        kind: DISABLE_MODULE or REMOVE_GUARD.
        removed: the foreign address that goes, as the person saw it.

    Safe to repeat: the same key makes one draft only.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """

    def derive(locked: Safe) -> Columns:
        change_lane.require_live(locked)
        foreign = configurations.foreign_in(locked)
        if foreign is None or not is_there(foreign, kind, removed):
            raise ConfigurationGone
        if kind != Kind.DISABLE_MODULE:
            return {}
        return {"previous": previous_module(foreign, removed)}

    return change_lane.leave(
        safe=safe,
        intent={"kind": kind, "removed": removed},
        derive=derive,
        **asked,
    )


def is_there(foreign: ForeignConfiguration, kind: str, address: Address) -> bool:
    """Whether the chain has this address in this place of the account."""
    return (FINDINGS[Kind(kind)], address) in foreign.items


def previous_module(foreign: ForeignConfiguration, module: Address) -> Address:
    """Return what the account has before a module, in its own order.

    Raises:
        ConfigurationUnread: the order was never read; it is asked for now.
    """
    try:
        return previous_of(module, foreign.module_list)
    except EncodingError:
        raise ConfigurationUnread from None
