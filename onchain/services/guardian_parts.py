"""A change of guardians as the browser names it, to make its calls anew (R15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onchain.models import UserOperation
from onchain.protocol.recovery import delay_of
from onchain.protocol.types import Address, checksum_address

Kind = UserOperation.Kind
FLAGS = {True: "yes", False: "no"}
READ: dict[str, Callable[[UserOperation], Any]] = {
    "before": lambda op: op.guardians_before,
    "cancels": lambda op: FLAGS[op.cancels_recovery],
    "enables": lambda op: FLAGS[op.enables_module],
    "guardians": lambda op: op.guardians,
    "previous": lambda op: checksum_address(Address(op.previous or b"")),
    "removed": lambda op: checksum_address(Address(op.removed or b"")),
    "threshold": lambda op: str(op.new_threshold),
}
FIELDS: dict[str, tuple[str, ...]] = {
    Kind.SET_UP_RECOVERY: ("cancels", "enables", "before", "guardians", "threshold"),
    Kind.ADD_GUARDIAN: ("cancels", "before", "guardians", "threshold"),
    Kind.REVOKE_GUARDIAN: ("cancels", "before", "removed", "threshold"),
    Kind.CHANGE_GUARDIANS: ("cancels", "before", "threshold"),
    Kind.CANCEL_RECOVERY: (),
    Kind.REMOVE_RECOVERY: ("cancels", "before", "previous"),
}


def change_of(op: UserOperation) -> dict[str, Any]:
    """Return the kind, the module's delay, and the fields that the kind consists of.

    The module itself is not named: the browser knows which one waits so long.

    Raises:
        ValueError: the row names no recovery module.
    """
    delay = delay_of(Address(op.module or b""))
    if delay is None:
        raise ValueError(f"{op} names no recovery module")
    named = {"kind": str(op.kind), "delay": str(delay)}
    return named | {field: READ[field](op) for field in FIELDS[op.kind]}
