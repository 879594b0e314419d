"""User operations for EntryPoint v0.7: packing, hashing, and the bundlers' JSON.

Sources: ERC-4337, https://eips.ethereum.org/EIPS/eip-4337; ``EntryPoint.sol`` and
``UserOperationLib.sol`` of the v0.7.0 reference contracts; ERC-7769,
https://eips.ethereum.org/EIPS/eip-7769, for the JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onchain.protocol.abi import argument_types, call_data, encode, keccak
from onchain.protocol.account_calls import calls_call_data as calls_call_data
from onchain.protocol.account_calls import decode_call_data as decode_call_data
from onchain.protocol.account_calls import execute_call_data as execute_call_data
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.rpc_fields import (
    quantity_text,
    read_address,
    read_bytes,
    read_quantity,
    require_fields,
)
from onchain.protocol.types import (
    Address,
    Bytes32,
    checksum_address,
    require_address,
    to_hex,
    uint_bytes,
)

PACKED_USER_OPERATION = (
    "(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)"
)
# PackedUserOperation as it is hashed: each ``bytes`` by its keccak, no signature.
HASHED_USER_OPERATION = (
    "(address,uint256,bytes32,bytes32,bytes32,uint256,bytes32,bytes32)"
)
HANDLE_OPS = f"handleOps({PACKED_USER_OPERATION}[],address)"

# Name in JSON, name here, width in bits.
RPC_QUANTITIES = (
    ("nonce", "nonce", 256),
    ("callGasLimit", "call_gas_limit", 128),
    ("verificationGasLimit", "verification_gas_limit", 128),
    ("preVerificationGas", "pre_verification_gas", 256),
    ("maxFeePerGas", "max_fee_per_gas", 128),
    ("maxPriorityFeePerGas", "max_priority_fee_per_gas", 128),
)
RPC_PAYMASTER_QUANTITIES = (
    ("paymasterVerificationGasLimit", "verification_gas_limit", 128),
    ("paymasterPostOpGasLimit", "post_op_gas_limit", 128),
)
RPC_REQUIRED = ("sender", "callData", *(name for name, _, _ in RPC_QUANTITIES))
RPC_PAYMASTER = (
    *("paymaster", "paymasterData"),
    *(name for name, _, _ in RPC_PAYMASTER_QUANTITIES),
)

PackedUserOperation = tuple[Address, int, bytes, bytes, bytes, int, bytes, bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factory:
    """Who deploys the sender, and how."""

    address: Address
    data: bytes = b""  # empty is legal


@dataclass(frozen=True, slots=True, kw_only=True)
class Paymaster:
    """Who pays for the operation instead of its sender."""

    address: Address
    verification_gas_limit: int  # gas, uint128; 0 is legal
    post_op_gas_limit: int  # gas, uint128; 0 is legal
    data: bytes = b""  # opaque to the EntryPoint; empty is legal


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOperationV07:
    """A user operation of EntryPoint v0.7, unpacked."""

    sender: Address
    nonce: int  # uint192 key || uint64 sequence
    factory: Factory | None = None
    call_data: bytes
    call_gas_limit: int  # gas, uint128
    verification_gas_limit: int  # gas, uint128
    pre_verification_gas: int  # gas, uint256
    max_fee_per_gas: int  # wei per gas, uint128
    max_priority_fee_per_gas: int  # wei per gas, uint128
    paymaster: Paymaster | None = None
    signature: bytes = b""


def join_nonce(key: int, sequence: int) -> int:
    """Return the uint256 nonce of a lane (uint192) and a place in it (uint64).

    Raises:
        EncodingError: either is negative or too wide.
    """
    return int.from_bytes(uint_bytes(key, 192) + uint_bytes(sequence, 64), "big")


def split_nonce(nonce: int) -> tuple[int, int]:
    """Return ``(key, sequence)`` of a uint256 nonce.

    Raises:
        EncodingError: negative or too wide.
    """
    word = uint_bytes(nonce, 256)
    return int.from_bytes(word[:24], "big"), int.from_bytes(word[24:], "big")


def init_code(factory: Factory | None) -> bytes:
    """Return ``initCode``: empty, or the factory's 20 bytes followed by its data.

    Only ``None`` means "no factory": one with empty data is still part of the hash.

    Raises:
        EncodingError: the address is not 20 bytes.
    """
    if factory is None:
        return b""
    return require_address(factory.address) + factory.data


def paymaster_and_data(paymaster: Paymaster | None) -> bytes:
    """Return ``paymasterAndData``: empty, or 52 bytes followed by the data.

    Only ``None`` means "no paymaster". One with zero gas limits or empty data is
    still a paymaster, and still part of the hash.

    Raises:
        EncodingError: the address is not 20 bytes, or a limit exceeds uint128.
    """
    if paymaster is None:
        return b""
    return (
        require_address(paymaster.address)
        + paymaster_gas_limits(paymaster)
        + paymaster.data
    )


def paymaster_gas_limits(paymaster: Paymaster) -> bytes:
    """Return uint128 verification gas || uint128 post-operation gas: 32 bytes.

    Raises:
        EncodingError: either exceeds uint128.
    """
    return _uint128_pair(paymaster.verification_gas_limit, paymaster.post_op_gas_limit)


def account_gas_limits(op: UserOperationV07) -> bytes:
    """Return uint128 verificationGasLimit || uint128 callGasLimit: 32 bytes.

    Raises:
        EncodingError: either exceeds uint128.
    """
    return _uint128_pair(op.verification_gas_limit, op.call_gas_limit)


def gas_fees(op: UserOperationV07) -> bytes:
    """Return uint128 maxPriorityFeePerGas || uint128 maxFeePerGas: 32 bytes.

    Raises:
        EncodingError: either exceeds uint128.
    """
    return _uint128_pair(op.max_priority_fee_per_gas, op.max_fee_per_gas)


def user_operation_hash(
    op: UserOperationV07, *, chain_id: int, entry_point: Address = ENTRY_POINT
) -> Bytes32:
    """Return ``EntryPoint.getUserOpHash``: 32 bytes, whatever the signature.

    Raises:
        EncodingError: a field has no encoding in its width.
    """
    hashed = (
        op.sender,
        op.nonce,
        keccak(init_code(op.factory)),
        keccak(op.call_data),
        account_gas_limits(op),
        op.pre_verification_gas,
        gas_fees(op),
        keccak(paymaster_and_data(op.paymaster)),
    )
    inner = keccak(encode(argument_types(HASHED_USER_OPERATION), hashed))
    outer = (inner, entry_point, chain_id)
    return keccak(encode(("bytes32", "address", "uint256"), outer))


def packed_tuple(op: UserOperationV07) -> PackedUserOperation:
    """Return the values of a ``PackedUserOperation`` in ABI order.

    Raises:
        EncodingError: an address is not 20 bytes, or a pair exceeds its widths.
    """
    return (
        require_address(op.sender),
        op.nonce,
        init_code(op.factory),
        op.call_data,
        account_gas_limits(op),
        op.pre_verification_gas,
        gas_fees(op),
        paymaster_and_data(op.paymaster),
        op.signature,
    )


def handle_ops_data(ops: Sequence[UserOperationV07], beneficiary: Address) -> bytes:
    """Return the call data of ``EntryPoint.handleOps``.

    Raises:
        EncodingError: a field has no encoding in its width.
    """
    return call_data(HANDLE_OPS, [packed_tuple(op) for op in ops], beneficiary)


def to_rpc(op: UserOperationV07) -> dict[str, str]:
    """Return the operation's JSON fields; an absent group has no fields.

    Raises:
        EncodingError: a field has no encoding in its width.
    """
    fields = {
        "sender": checksum_address(op.sender),
        "callData": to_hex(op.call_data),
        "signature": to_hex(op.signature),
    }
    for name, attribute, bits in RPC_QUANTITIES:
        fields[name] = quantity_text(getattr(op, attribute), bits)
    if op.factory is not None:
        fields["factory"] = checksum_address(op.factory.address)
        fields["factoryData"] = to_hex(op.factory.data)
    if op.paymaster is not None:
        fields["paymaster"] = checksum_address(op.paymaster.address)
        fields["paymasterData"] = to_hex(op.paymaster.data)
        for name, attribute, bits in RPC_PAYMASTER_QUANTITIES:
            fields[name] = quantity_text(getattr(op.paymaster, attribute), bits)
    return fields


def from_rpc(fields: Mapping[str, object]) -> UserOperationV07:
    """Return the operation of its JSON fields.

    A field that is null is absent; an absent signature is empty.

    Raises:
        EncodingError: an unknown or missing field, half a factory or paymaster, or
            a value of another type, length or width. The message names the field.
    """
    present = {name: value for name, value in fields.items() if value is not None}
    require_fields(
        present,
        required=RPC_REQUIRED,
        groups=(("factory", "factoryData"), RPC_PAYMASTER, ("signature",)),
    )
    factory = None
    if "factory" in present:
        factory_data = read_bytes(present, "factoryData")
        factory = Factory(address=read_address(present, "factory"), data=factory_data)
    return UserOperationV07(
        sender=read_address(present, "sender"),
        call_data=read_bytes(present, "callData"),
        factory=factory,
        paymaster=_paymaster_from_rpc(present),
        signature=read_bytes(present, "signature") if "signature" in present else b"",
        **_read_quantities(present, RPC_QUANTITIES),
    )


def _paymaster_from_rpc(present: Mapping[str, object]) -> Paymaster | None:
    if "paymaster" not in present:
        return None
    return Paymaster(
        address=read_address(present, "paymaster"),
        data=read_bytes(present, "paymasterData"),
        **_read_quantities(present, RPC_PAYMASTER_QUANTITIES),
    )


def _read_quantities(
    present: Mapping[str, object], names: Sequence[tuple[str, str, int]]
) -> dict[str, int]:
    return {
        attribute: read_quantity(present, name, bits) for name, attribute, bits in names
    }


def _uint128_pair(high: int, low: int) -> bytes:
    return uint_bytes(high, 128) + uint_bytes(low, 128)
