"""Values that every module of the protocol layer shares.

Addresses are 20 bytes inside; text exists at the edges only, with the checksum of
EIP-55, https://eips.ethereum.org/EIPS/eip-55. Numbers are Python integers, whose
width is checked wherever they become bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

from eth_utils.address import to_checksum_address

from onchain.protocol.errors import EncodingError

Address = NewType("Address", bytes)  # 20 bytes
Bytes32 = NewType("Bytes32", bytes)  # 32 bytes

ZERO_ADDRESS = Address(bytes(20))
# The head of Safe's linked lists of owners and modules; never a member of one.
SENTINEL_ADDRESS = Address(bytes(19) + b"\x01")

UINT48_MAX = 2**48 - 1
UINT256_MAX = 2**256 - 1

_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A point on P-256 in affine coordinates, as a passkey reports it."""

    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that an account makes."""

    to: Address
    value_wei: int
    data: bytes = b""
    operation: int = 0  # 0 is CALL, 1 is DELEGATECALL


def parse_hex(text: object) -> bytes:
    """Return the bytes of ``0x`` and an even number of hex digits.

    Raises:
        EncodingError: anything else, white space and a missing ``0x`` included.
    """
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise EncodingError("not 0x and an even number of hex digits")
    return bytes.fromhex(text[2:])


def to_hex(value: bytes) -> str:
    """Return bytes as 0x and lowercase hex digits."""
    return f"0x{value.hex()}"


def to_bytes32(text: str) -> Bytes32:
    """Return the word given as 0x and 64 hex digits.

    Raises:
        EncodingError: another length or character.
    """
    return require_bytes32(parse_hex(text))


def to_address(text: str) -> Address:
    """Return the 20 bytes of an address given as 0x and 40 hex digits.

    Digits in one case carry no checksum; digits in both must carry EIP-55's.

    Raises:
        EncodingError: another length or character, or a wrong checksum.
    """
    address = require_address(parse_hex(text))
    digits = text[2:]
    is_mixed = digits not in {digits.lower(), digits.upper()}
    if is_mixed and checksum_address(address) != text:
        raise EncodingError("the address does not match its checksum")
    return address


def checksum_address(address: Address) -> str:
    """Return the 42 characters of an address with its EIP-55 checksum.

    Raises:
        EncodingError: not 20 bytes.
    """
    return to_checksum_address(require_address(address))


def require_address(value: object) -> Address:
    """Return the same 20 bytes as an address.

    Raises:
        EncodingError: not bytes, or not 20 of them.
    """
    if not isinstance(value, bytes) or len(value) != 20:
        raise EncodingError("an address is 20 bytes")
    return Address(value)


def require_bytes32(value: object) -> Bytes32:
    """Return the same 32 bytes as a word.

    Raises:
        EncodingError: not bytes, or not 32 of them.
    """
    if not isinstance(value, bytes) or len(value) != 32:
        raise EncodingError("a word is 32 bytes")
    return Bytes32(value)


def uint_bytes(value: int, bits: int) -> bytes:
    """Return an unsigned integer in ``bits // 8`` bytes, big-endian.

    Raises:
        EncodingError: not an integer, negative, or wider than ``bits``.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise EncodingError(f"not an integer: {type(value).__name__}")
    if not 0 <= value < 1 << bits:
        raise EncodingError(f"out of range for uint{bits}")
    return value.to_bytes(bits // 8, "big")
