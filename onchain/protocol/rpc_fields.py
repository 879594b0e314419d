"""Reading and writing the values of Ethereum's JSON-RPC.

Source: https://ethereum.org/developers/docs/apis/json-rpc, section "Conventions".
Quantities are written as 0x and hex digits without leading zeros; reading is more
generous: leading zeros and JSON integers pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, parse_hex, to_address, uint_bytes

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)


def require_fields(
    fields: Mapping[str, object],
    *,
    required: Collection[str],
    groups: Collection[Collection[str]],
) -> None:
    """Check names: all of ``required``, and of each group all or none.

    Raises:
        EncodingError: an unknown field, or a missing one.
    """
    known = {*required, *(name for group in groups for name in group)}
    unknown = sorted(fields.keys() - known)
    if unknown:
        raise EncodingError(f"unknown field: {', '.join(unknown)}")
    begun = [group for group in groups if fields.keys() & set(group)]
    missing = [n for group in (required, *begun) for n in group if n not in fields]
    if missing:
        raise EncodingError(f"missing field: {', '.join(missing)}")


def read_address(fields: Mapping[str, object], name: str) -> Address:
    """Return the address in a field.

    Raises:
        EncodingError: not an address, or a wrong checksum; names the field.
    """
    try:
        return to_address(_text(fields[name]))
    except EncodingError as error:
        raise EncodingError(f"{name}: {error}") from error


def read_bytes(fields: Mapping[str, object], name: str) -> bytes:
    """Return the bytes in a field.

    Raises:
        EncodingError: not 0x and an even number of hex digits; names the field.
    """
    try:
        return parse_hex(_text(fields[name]))
    except EncodingError as error:
        raise EncodingError(f"{name}: {error}") from error


def read_quantity(fields: Mapping[str, object], name: str, bits: int) -> int:
    """Return the unsigned integer in a field.

    Raises:
        EncodingError: not an integer, or wider than ``bits``; names the field.
    """
    value = fields[name]
    if isinstance(value, str):
        if not _QUANTITY.fullmatch(value):
            raise EncodingError(f"{name}: not 0x and 1 to 64 hex digits")
        value = int(value, 16)
    if isinstance(value, bool) or not isinstance(value, int):
        raise EncodingError(f"{name}: neither a hex string nor an integer")
    try:
        uint_bytes(value, bits)
    except EncodingError as error:
        raise EncodingError(f"{name}: {error}") from error
    return value


def quantity_text(value: int, bits: int) -> str:
    """Return an unsigned integer as 0x and hex digits.

    Raises:
        EncodingError: not an integer of that width.
    """
    uint_bytes(value, bits)
    return hex(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise EncodingError("not a string")
    return value
