"""Amounts of ETH as people type and read them; integers of wei inside, no floats."""

from __future__ import annotations

import re

# What a column of 64 bits holds: 9.2 ETH. The database adds such columns up, which it
# cannot do with a Uint256Field.
COUNTED_MAX_WEI = 2**63 - 1

WEI_DECIMALS = 18
UINT256_MAX = 2**256 - 1
_PLAIN = re.compile(r"(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?", re.ASCII)


class AmountError(ValueError):
    """Not an amount; ``str()`` is safe to show."""


def ether_text(value_wei: object) -> str:
    """Return the exact decimal text of an amount, without unit or trailing zeros.

    Raises:
        TypeError: the amount is not an integer.
        ValueError: the amount is negative.
    """
    if not isinstance(value_wei, int) or isinstance(value_wei, bool):
        raise TypeError(f"an amount in wei is an int, not {type(value_wei).__name__}")
    if value_wei < 0:
        raise ValueError("an amount in wei is never negative")
    whole, rest = divmod(value_wei, 10**WEI_DECIMALS)
    decimals = f"{rest:0{WEI_DECIMALS}d}".rstrip("0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def parse_eth(text: str) -> int:
    """Return the wei of a decimal amount of ETH.

    Raises:
        AmountError: with words: not a plain decimal number, too precise, too large.
    """
    text = text.strip()
    if text.upper().endswith("ETH"):
        text = text[:-3].rstrip()
    if text.startswith(("-", "\N{MINUS SIGN}")):
        raise AmountError("The amount cannot be negative.")
    if "," in text:
        raise AmountError("Use a point as the decimal mark, without commas: 1.5")
    if text.startswith("."):
        text = f"0{text}"
    found = _PLAIN.fullmatch(text)
    if found is None:
        raise AmountError("Enter the amount as a plain number, such as 0.25.")
    fraction = (found["fraction"] or "").rstrip("0")
    if len(fraction) > WEI_DECIMALS:
        raise AmountError("ETH has 18 decimal places at most.")
    whole = found["whole"].lstrip("0")
    if len(whole) > 60:
        raise AmountError("This is more than can exist on any chain.")
    wei = int(whole or "0") * 10**WEI_DECIMALS
    wei += int(fraction.ljust(WEI_DECIMALS, "0"))
    if wei > UINT256_MAX:
        raise AmountError("This is more than can exist on any chain.")
    return wei
