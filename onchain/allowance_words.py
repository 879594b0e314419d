"""What others may spend from an account, in words."""

from __future__ import annotations

from dataclasses import dataclass

from onchain.amounts import ether_text
from onchain.models import ForeignConfiguration
from onchain.protocol.allowances import ALLOWANCE_MODULES, ETHER
from onchain.protocol.types import Address, to_address

UNITS = (("week", 10_080), ("day", 1_440), ("hour", 60), ("minute", 1))  # minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceLine:
    """One allowance as a page names it."""

    delegate: Address
    token: Address | None  # None: ETH
    amount: str
    spent: str
    renews: str


def is_allowance_module(address: str) -> bool:
    """Whether this address is one of the Allowance module's."""
    return to_address(address) in ALLOWANCE_MODULES


def lines_of(foreign: ForeignConfiguration, module: str) -> list[AllowanceLine]:
    """Return what a module of the account lets others spend."""
    rows = [row for row in foreign.allowances if row["module"] == module]
    return [_line(row) for row in rows]


def renewal(minutes: int) -> str:
    """Return how often an allowance may be spent again."""
    if minutes == 0:
        return "Once, not renewed"
    name, count = next(
        (name, minutes // length) for name, length in UNITS if minutes % length == 0
    )
    return f"Renewed every {name}" if count == 1 else f"Renewed every {count} {name}s"


def _line(row: dict[str, str | int]) -> AllowanceLine:
    token = to_address(str(row["token"]))
    is_ether = token == ETHER

    def text(units: int) -> str:
        return f"{ether_text(units)} ETH" if is_ether else str(units)

    return AllowanceLine(
        delegate=to_address(str(row["delegate"])),
        token=None if is_ether else token,
        amount=text(int(row["amount"])),
        spent=text(int(row["spent"])),
        renews=renewal(int(row["reset_minutes"])),
    )
