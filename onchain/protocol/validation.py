"""What the EntryPoint asks an account before it runs its operation.

Sources: ERC-4337, section "Smart contract account interface"; ``EntryPoint.sol`` of
the v0.7.0 reference contracts, ``_getRequiredPrefund``.
"""

from __future__ import annotations

from onchain.protocol.abi import call_data
from onchain.protocol.types import Bytes32, require_bytes32
from onchain.protocol.user_operation import (
    PACKED_USER_OPERATION,
    UserOperationV07,
    packed_tuple,
)

VALIDATE_USER_OP = f"validateUserOp({PACKED_USER_OPERATION},bytes32,uint256)"
# The low 160 bits of validationData: 0 for a valid signature, 1 for a wrong one.
AUTHORIZER_MASK = 2**160 - 1


def gas_limit_total(op: UserOperationV07) -> int:
    """Return all gas the operation may be charged for, its paymaster's included.

    Times ``max_fee_per_gas`` it is the deposit that the EntryPoint requires.
    """
    total = op.call_gas_limit + op.verification_gas_limit + op.pre_verification_gas
    if op.paymaster is not None:
        total += op.paymaster.verification_gas_limit + op.paymaster.post_op_gas_limit
    return total


def validate_user_op_data(op: UserOperationV07, *, operation_hash: Bytes32) -> bytes:
    """Return call data of ``IAccount.validateUserOp`` with no missing funds.

    Raises:
        EncodingError: a field has no encoding in its width.
    """
    return call_data(VALIDATE_USER_OP, packed_tuple(op), operation_hash, 0)


def signature_failed(validation_data: bytes) -> bool:
    """Whether the account's answer says that the signature is wrong.

    Raises:
        EncodingError: not one word; an address without code answers nothing.
    """
    require_bytes32(validation_data)
    return int.from_bytes(validation_data, "big") & AUTHORIZER_MASK != 0
