"""The hash that a Safe's owners sign to authorise a user operation.

Source: ``Safe4337Module.sol`` 0.3.0, EIP-712 without a name or version in the
domain. These 32 bytes are the WebAuthn challenge of a passkey, and the message of
an externally owned account.
"""

from __future__ import annotations

from onchain.protocol.abi import argument_types, encode, keccak, typed_data
from onchain.protocol.deployments import ENTRY_POINT, SAFE_4337_MODULE
from onchain.protocol.types import Address, Bytes32
from onchain.protocol.user_operation import (
    UserOperationV07,
    init_code,
    paymaster_and_data,
)

DOMAIN_TYPEHASH = keccak(b"EIP712Domain(uint256 chainId,address verifyingContract)")
SAFE_OP_TYPEHASH = keccak(
    b"SafeOp(address safe,uint256 nonce,bytes initCode,bytes callData,"
    b"uint128 verificationGasLimit,uint128 callGasLimit,uint256 preVerificationGas,"
    b"uint128 maxPriorityFeePerGas,uint128 maxFeePerGas,bytes paymasterAndData,"
    b"uint48 validAfter,uint48 validUntil,address entryPoint)"
)
# The type's hash, then the members; each ``bytes`` by its keccak.
ENCODED_SAFE_OP = (
    "(bytes32,address,uint256,bytes32,bytes32,uint128,uint128,uint256,uint128,"
    "uint128,bytes32,uint48,uint48,address)"
)


def safe_operation_hash(
    op: UserOperationV07,
    *,
    chain_id: int,
    valid_after: int,
    valid_until: int,
    module: Address = SAFE_4337_MODULE,
    entry_point: Address = ENTRY_POINT,
) -> Bytes32:
    """Return ``Safe4337Module.getOperationHash``: 32 bytes.

    Args:
        valid_after, valid_until: Unix seconds, uint48; 0 is no bound.

    Raises:
        EncodingError: a field has no encoding in its width.
    """
    data = safe_operation_data(
        op,
        chain_id=chain_id,
        valid_after=valid_after,
        valid_until=valid_until,
        module=module,
        entry_point=entry_point,
    )
    return keccak(data)


def safe_operation_data(
    op: UserOperationV07,
    *,
    chain_id: int,
    valid_after: int,
    valid_until: int,
    module: Address = SAFE_4337_MODULE,
    entry_point: Address = ENTRY_POINT,
) -> bytes:
    """Return what is hashed, as the Safe hands it to a contract owner: 66 bytes.

    0x1901 || domain separator || struct hash; arguments as ``safe_operation_hash``.

    Raises:
        EncodingError: a field has no encoding in its width.
    """
    domain = encode(
        ("bytes32", "uint256", "address"), (DOMAIN_TYPEHASH, chain_id, module)
    )
    struct = encode(
        argument_types(ENCODED_SAFE_OP),
        (
            SAFE_OP_TYPEHASH,
            op.sender,
            op.nonce,
            keccak(init_code(op.factory)),
            keccak(op.call_data),
            op.verification_gas_limit,
            op.call_gas_limit,
            op.pre_verification_gas,
            op.max_priority_fee_per_gas,
            op.max_fee_per_gas,
            keccak(paymaster_and_data(op.paymaster)),
            valid_after,
            valid_until,
            entry_point,
        ),
    )
    return typed_data(domain=domain, struct=struct)
