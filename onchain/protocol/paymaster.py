"""Data and hash of the reference VerifyingPaymaster.

Source: ``samples/VerifyingPaymaster.sol`` of the ERC-4337 reference contracts,
v0.7.0. Its signer signs the hash below as an Ethereum message (EIP-191).
"""

from __future__ import annotations

from onchain.protocol.abi import argument_types, encode, keccak
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, Bytes32
from onchain.protocol.user_operation import (
    UserOperationV07,
    account_gas_limits,
    gas_fees,
    init_code,
    paymaster_gas_limits,
)

SIGNATURE_LENGTH = 65  # bytes: r || s || v
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
