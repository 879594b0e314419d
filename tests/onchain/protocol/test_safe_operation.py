"""The hash that owners sign."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from onchain.protocol.deployments import ENTRY_POINT, SAFE_4337_MODULE
from onchain.protocol.errors import EncodingError
from onchain.protocol.safe_operation import (
    DOMAIN_TYPEHASH,
    SAFE_OP_TYPEHASH,
    safe_operation_data,
    safe_operation_hash,
)
from onchain.protocol.types import checksum_address
from onchain.protocol.user_operation import (
    Factory,
    Paymaster,
    from_rpc,
    init_code,
    paymaster_and_data,
)
from tests.onchain.protocol.vectors import (
    CHAIN_ID,
    EOA,
    OPERATION_NAMES,
    OPERATIONS,
    RECIPIENT,
    operation,
)

VALID_AFTER, VALID_UNTIL = 1_700_000_000, 1_800_000_000


def digest(op, **changes):
    values = {"chain_id": CHAIN_ID, "valid_after": 0, "valid_until": 0, **changes}
    return safe_operation_hash(op, **values)


def typed_data_digest(op, *, valid_after, valid_until):
    fields = (
        "address safe,uint256 nonce,bytes initCode,bytes callData,"
        "uint128 verificationGasLimit,uint128 callGasLimit,uint256 preVerificationGas,"
        "uint128 maxPriorityFeePerGas,uint128 maxFeePerGas,bytes paymasterAndData,"
        "uint48 validAfter,uint48 validUntil,address entryPoint"
    )
    names = [field.split() for field in fields.split(",")]
    message = encode_typed_data(
        domain_data={
            "chainId": CHAIN_ID,
            "verifyingContract": checksum_address(SAFE_4337_MODULE),
        },
        message_types={
            "SafeOp": [{"type": kind, "name": name} for kind, name in names]
        },
        message_data={
            "safe": checksum_address(op.sender),
            "nonce": op.nonce,
            "initCode": init_code(op.factory),
            "callData": op.call_data,
            "verificationGasLimit": op.verification_gas_limit,
            "callGasLimit": op.call_gas_limit,
            "preVerificationGas": op.pre_verification_gas,
            "maxPriorityFeePerGas": op.max_priority_fee_per_gas,
            "maxFeePerGas": op.max_fee_per_gas,
            "paymasterAndData": paymaster_and_data(op.paymaster),
            "validAfter": valid_after,
            "validUntil": valid_until,
            "entryPoint": checksum_address(ENTRY_POINT),
        },
    )
    return keccak(b"\x19" + message.version + message.header + message.body)


def test_type_hashes_are_those_of_the_module():
    assert DOMAIN_TYPEHASH.hex() == (
        "47e79534a245952e8b16893a336b85a3d9ea9fa8c573f3d803afb92a79469218"
    )
    assert SAFE_OP_TYPEHASH.hex() == (
        "c03dfc11d8b10bf9cf703d558958c8c42777f785d998c62060d85a4f0ef6ea7f"
    )


@pytest.mark.parametrize(("fields", "hashes"), OPERATIONS, ids=OPERATION_NAMES)
def test_hashes_are_those_of_abstractionkit(fields, hashes):
    op = from_rpc(fields)

    timed = digest(op, valid_after=VALID_AFTER, valid_until=VALID_UNTIL)

    assert f"0x{digest(op).hex()}" == hashes["safeOpHash"]
    assert f"0x{timed.hex()}" == hashes["safeOpHashTimed"]


@pytest.mark.parametrize(
    "op",
    [
        operation(factory=Factory(address=EOA)),
        operation(
            paymaster=Paymaster(
                address=EOA, verification_gas_limit=0, post_op_gas_limit=0
            )
        ),
        operation(nonce=2**256 - 1, call_data=b""),
    ],
    ids=["factory without data", "paymaster of zeros", "highest nonce"],
)
def test_hashes_are_those_of_eth_account(op):
    ours = digest(op, valid_after=0, valid_until=2**48 - 1)

    assert ours == typed_data_digest(op, valid_after=0, valid_until=2**48 - 1)


def test_the_hash_covers_every_field_but_the_signature():
    payer = Paymaster(address=EOA, verification_gas_limit=1, post_op_gas_limit=2)
    op = operation(paymaster=payer, factory=Factory(address=EOA))
    numbers = [
        "nonce",
        "verification_gas_limit",
        "call_gas_limit",
        "pre_verification_gas",
        "max_priority_fee_per_gas",
        "max_fee_per_gas",
    ]
    changed = [
        digest(replace(op, sender=RECIPIENT)),
        digest(replace(op, factory=None)),
        digest(replace(op, call_data=op.call_data + b"\x00")),
        digest(replace(op, paymaster=None)),
        digest(replace(op, paymaster=replace(payer, post_op_gas_limit=0))),
        digest(replace(op, paymaster=replace(payer, data=b"\x00"))),
        *(digest(replace(op, **{name: getattr(op, name) + 1})) for name in numbers),
        digest(op, chain_id=CHAIN_ID + 1),
        digest(op, valid_after=1),
        digest(op, valid_until=1),
        digest(op, module=EOA),
        digest(op, entry_point=EOA),
    ]

    assert len({digest(op), *changed}) == 1 + len(changed)
    assert digest(replace(op, signature=b"\x01")) == digest(op)


@pytest.mark.parametrize("name", ["valid_after", "valid_until"])
def test_times_outside_uint48_are_refused(name):
    for value in (-1, 2**48):
        with pytest.raises(EncodingError):
            digest(operation(), **{name: value})
    assert digest(operation(), **{name: 2**48 - 1})


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("nonce", 256),
        ("pre_verification_gas", 256),
        ("verification_gas_limit", 128),
        ("call_gas_limit", 128),
        ("max_priority_fee_per_gas", 128),
        ("max_fee_per_gas", 128),
    ],
)
def test_numbers_outside_their_width_are_refused(name, bits):
    for value in (-1, 2**bits):
        with pytest.raises(EncodingError):
            digest(operation(**{name: value}))
    assert digest(operation(**{name: 2**bits - 1}))


@pytest.mark.parametrize("chain_id", [-1, 2**256])
def test_a_chain_id_outside_uint256_is_refused(chain_id):
    with pytest.raises(EncodingError):
        digest(operation(), chain_id=chain_id)


def test_what_a_contract_owner_is_asked_about_has_that_hash():
    data = safe_operation_data(
        operation(), chain_id=CHAIN_ID, valid_after=1, valid_until=2
    )

    assert (len(data), data[:2]) == (66, b"\x19\x01")
    assert keccak(data) == digest(operation(), valid_after=1, valid_until=2)
