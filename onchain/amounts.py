"""Amounts of ETH as people type them; integers of wei inside, never floats."""

from __future__ import annotations

import re

WEI_DECIMALS = 18
UINT256_MAX = 2**256 - 1
_PLAIN = re.compile(r"(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?", re.ASCII)


class AmountError(ValueError):
    """Not an amount; ``str()`` is safe to show."""


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
