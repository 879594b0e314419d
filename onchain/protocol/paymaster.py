"""Data and hash of the reference VerifyingPaymaster, and what any paymaster answers.

Sources: ``samples/VerifyingPaymaster.sol`` of the ERC-4337 reference contracts,
v0.7.0, whose signer signs the hash below as an Ethereum message (EIP-191);
``IPaymaster.sol`` and ``Helpers.sol`` there for what a paymaster answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from onchain.protocol.abi import argument_types, call_data, decode, encode, keccak
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, Bytes32, uint_bytes
from onchain.protocol.user_operation import (
    PACKED_USER_OPERATION,
    UserOperationV07,
    account_gas_limits,
    gas_fees,
    init_code,
    packed_tuple,
    paymaster_gas_limits,
)

SIGNATURE_LENGTH = 65  # bytes: r || s || v
VALIDATE_PAYMASTER = f"validatePaymasterUserOp({PACKED_USER_OPERATION},bytes32,uint256)"
HASHED_WORDS = (
    "(address,uint256,bytes32,bytes32,bytes32,bytes32,uint256,bytes32,uint256,"
    "address,uint48,uint48)"
)


def verifying_paymaster_hash(
    op: UserOperationV07,
    *,
    chain_id: int,
    paymaster: Address,
    valid_until: int,
    valid_after: int,
) -> Bytes32:
    """Return ``VerifyingPaymaster.getHash``: 32 bytes.

    The operation's own paymaster gives the two gas limits; its data is not hashed,
    for it will carry the signature.

    Raises:
        EncodingError: the operation names another paymaster or none, or a field has
            no encoding in its width.
    """
    if op.paymaster is None or op.paymaster.address != paymaster:
        raise EncodingError("the operation does not name this paymaster")
    words = (
        op.sender,
        op.nonce,
        keccak(init_code(op.factory)),
        keccak(op.call_data),
        account_gas_limits(op),
        paymaster_gas_limits(op.paymaster),
        op.pre_verification_gas,
        gas_fees(op),
        chain_id,
        paymaster,
        valid_until,
        valid_after,
    )
    return keccak(encode(argument_types(HASHED_WORDS), words))


def verifying_paymaster_data(
    *, valid_until: int, valid_after: int, signature: bytes
) -> bytes:
    """Return ``abi(uint48 validUntil, uint48 validAfter)`` || signature: 129 bytes.

    Raises:
        EncodingError: a time wider than 48 bits, or a signature of another length.
    """
    if len(signature) != SIGNATURE_LENGTH:
        raise EncodingError("a paymaster's signature is 65 bytes")
    return encode(("uint48", "uint48"), (valid_until, valid_after)) + signature


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymasterValidation:
    """What a paymaster says of an operation, as ERC-4337 packs it."""

    is_accepted: bool
    valid_until: int | None  # seconds; None: for ever
    valid_after: int  # seconds


def validate_paymaster_user_op_data(
    op: UserOperationV07, *, operation_hash: Bytes32, max_cost_wei: int
) -> bytes:
    """Return call data of ``IPaymaster.validatePaymasterUserOp``.

    Raises:
        EncodingError: a field has no encoding in its width.
    """
    packed = packed_tuple(op)
    return call_data(VALIDATE_PAYMASTER, packed, operation_hash, max_cost_wei)


def decode_paymaster_validation(data: bytes) -> PaymasterValidation:
    """Return the answer of ``validatePaymasterUserOp``.

    Its second word is ``validAfter`` || ``validUntil`` || authorizer, of 6, 6 and 20
    bytes; an authorizer other than 0 is a refusal, and ``validUntil`` 0 is for ever.

    Raises:
        EncodingError: not a context and a word; an address without code answers
            nothing.
    """
    _context, word = decode(("bytes", "uint256"), data)
    packed = uint_bytes(word, 256)
    until = int.from_bytes(packed[6:12], "big")
    return PaymasterValidation(
        is_accepted=packed[12:] == bytes(20),
        valid_until=None if until == 0 else until,
        valid_after=int.from_bytes(packed[:6], "big"),
    )
