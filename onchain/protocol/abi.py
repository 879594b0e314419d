"""Contract ABI encoding, hashing (EIP-712 too) and CREATE2, with one kind of error.

Source: the Solidity ABI specification,
https://docs.soliditylang.org/en/latest/abi-spec.html, and EIP-1014 for CREATE2.
Decoding is strict: bytes that our own encoder would not have made are refused, so
that nothing can hide between two readings of the same call.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from eth_abi import abi as eth_abi
from eth_abi.exceptions import DecodingError
from eth_abi.exceptions import EncodingError as AbiEncodingError
from eth_abi.grammar import TupleType, parse
from eth_utils.crypto import keccak as eth_keccak

from onchain.protocol.errors import EncodingError
from onchain.protocol.types import (
    Address,
    Bytes32,
    require_address,
    require_bytes32,
)


def keccak(data: bytes) -> Bytes32:
    """Return the keccak-256 hash: 32 bytes."""
    return Bytes32(eth_keccak(data))


def encode(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Return the ABI encoding of the values as one tuple.

    Raises:
        EncodingError: a value has another type or width than its ABI type.
    """
    if len(types) != len(values):
        raise EncodingError(f"{len(values)} values for {len(types)} types")
    for abi_type, value in zip(types, values, strict=True):
        # eth_abi also takes addresses as text and pads short words: we do not.
        if abi_type == "address":
            require_address(value)
        elif abi_type == "bytes32":
            require_bytes32(value)
    try:
        return eth_abi.encode(types, values)
    except AbiEncodingError as error:
        raise EncodingError(f"no ABI encoding as {','.join(types)}") from error


def decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Return the values of an ABI-encoded tuple; addresses are lowercase text.

    Raises:
        EncodingError: the data is not what ``encode`` makes of the values.
    """
    try:
        values = eth_abi.decode(types, data)
        is_canonical = eth_abi.encode(types, values) == data
    except (
        DecodingError,
        AbiEncodingError,
        UnicodeDecodeError,
        OverflowError,
    ) as error:
        raise EncodingError(f"not an ABI encoding of {','.join(types)}") from error
    if not is_canonical:
        raise EncodingError(f"not a canonical ABI encoding of {','.join(types)}")
    return values


@cache
def argument_types(signature: str) -> tuple[str, ...]:
    """Return the ABI types of a function or error signature's arguments."""
    text = signature[signature.index("(") :]
    if text == "()":
        return ()
    arguments = cast(TupleType, parse(text))
    return tuple(component.to_type_str() for component in arguments.components)


@cache
def selector(signature: str) -> bytes:
    """Return the first 4 bytes of the hash of ``name(type,type)``."""
    return keccak(signature.encode("ascii"))[:4]


def call_data(signature: str, *values: Any) -> bytes:
    """Return the selector of ``name(type,type)`` and its encoded arguments.

    Raises:
        EncodingError: a value has another type or width than its ABI type.
    """
    return selector(signature) + encode(argument_types(signature), values)


def decode_call(signature: str, data: bytes) -> tuple[Any, ...]:
    """Return the arguments of a call of ``name(type,type)``.

    Raises:
        EncodingError: another function, or not a canonical encoding.
    """
    if data[:4] != selector(signature):
        raise EncodingError(f"not a call of {signature}")
    return decode(argument_types(signature), data[4:])


def create2_address(
    *, deployer: Address, salt: bytes, init_code_hash: bytes
) -> Address:
    """Return where ``deployer`` puts a contract with CREATE2 (EIP-1014): 20 bytes.

    Raises:
        EncodingError: a part has another width.
    """
    parts = require_bytes32(salt) + require_bytes32(init_code_hash)
    return Address(keccak(b"\xff" + require_address(deployer) + parts)[12:])


def typed_data_digest(*, domain: bytes, struct: bytes) -> Bytes32:
    """Return the EIP-712 hash of an encoded domain and an encoded struct: 32 bytes.

    Args:
        domain: type hash and members of the domain, ABI-encoded.
        struct: type hash and members of the message, ABI-encoded.
    """
    return keccak(typed_data(domain=domain, struct=struct))


def typed_data(*, domain: bytes, struct: bytes) -> bytes:
    """Return what ``typed_data_digest`` hashes: 0x1901 and two hashes, 66 bytes."""
    return b"\x19\x01" + keccak(domain) + keccak(struct)
