"""Hashes, packing and nonces of user operations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.abi import decode as abi_decode
from hypothesis import given
from hypothesis import strategies as st

from onchain.protocol.abi import selector
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import ZERO_ADDRESS
from onchain.protocol.user_operation import (
    HANDLE_OPS,
    PACKED_USER_OPERATION,
    Factory,
    Paymaster,
    from_rpc,
    handle_ops_data,
    init_code,
    join_nonce,
    packed_tuple,
    paymaster_and_data,
    split_nonce,
    user_operation_hash,
)
from tests.onchain.protocol.vectors import (
    CHAIN_ID,
    EOA,
    OPERATION_NAMES,
    OPERATIONS,
    RECIPIENT,
    operation,
)

ACCOUNT_GAS = ["verification_gas_limit", "call_gas_limit"]
FEES = ["max_priority_fee_per_gas", "max_fee_per_gas"]


@pytest.mark.parametrize(("fields", "hashes"), OPERATIONS, ids=OPERATION_NAMES)
def test_hashes_are_those_of_abstractionkit(fields, hashes):
    op = from_rpc(fields)

    digest = user_operation_hash(op, chain_id=CHAIN_ID)

    assert f"0x{digest.hex()}" == hashes["userOpHash"]


def test_the_hash_covers_every_field_but_the_signature():
    payer = Paymaster(address=EOA, verification_gas_limit=1, post_op_gas_limit=2)
    op = operation(paymaster=payer, factory=Factory(address=EOA))
    changed = [
        replace(op, sender=RECIPIENT),
        replace(op, nonce=op.nonce + 1),
        replace(op, factory=None),
        replace(op, factory=Factory(address=RECIPIENT)),
        replace(op, factory=Factory(address=EOA, data=b"\x00")),
        replace(op, call_data=op.call_data + b"\x00"),
        *(replace(op, **{name: getattr(op, name) + 1}) for name in ACCOUNT_GAS + FEES),
        replace(op, pre_verification_gas=op.pre_verification_gas + 1),
        replace(op, paymaster=None),
        replace(op, paymaster=replace(payer, address=RECIPIENT)),
        replace(op, paymaster=replace(payer, verification_gas_limit=0)),
        replace(op, paymaster=replace(payer, post_op_gas_limit=0)),
        replace(op, paymaster=replace(payer, data=b"\x00")),
    ]

    digests = {user_operation_hash(item, chain_id=CHAIN_ID) for item in [op, *changed]}
    digests.add(user_operation_hash(op, chain_id=CHAIN_ID + 1))
    digests.add(user_operation_hash(op, chain_id=CHAIN_ID, entry_point=EOA))

    assert len(digests) == 1 + len(changed) + 2
    signed = replace(op, signature=b"\x01")
    assert user_operation_hash(signed, chain_id=CHAIN_ID) in digests


@pytest.mark.parametrize(
    "factory", [Factory(address=EOA), Factory(address=EOA, data=b"")]
)
def test_a_factory_without_data_is_still_a_factory(factory):
    assert init_code(factory) == EOA
    assert init_code(None) == b""


def test_a_factory_at_the_zero_address_is_still_a_factory():
    assert init_code(Factory(address=ZERO_ADDRESS)) == bytes(20)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ((0, 0), bytes(32)),
        ((1, 0), bytes(15) + b"\x01" + bytes(16)),
        ((0, 1), bytes(31) + b"\x01"),
        ((2**128 - 1, 2**128 - 1), b"\xff" * 32),
    ],
)
def test_a_paymaster_with_zero_gas_or_no_data_is_still_a_paymaster(limits, expected):
    payer = Paymaster(
        address=EOA, verification_gas_limit=limits[0], post_op_gas_limit=limits[1]
    )

    assert paymaster_and_data(payer) == EOA + expected
    assert paymaster_and_data(replace(payer, data=b"\x05")) == EOA + expected + b"\x05"
    assert paymaster_and_data(None) == b""


@pytest.mark.parametrize("name", ACCOUNT_GAS + FEES)
@pytest.mark.parametrize("value", [-1, 2**128])
def test_gas_and_fees_outside_uint128_are_refused(name, value):
    op = operation(**{name: value})

    with pytest.raises(EncodingError):
        user_operation_hash(op, chain_id=CHAIN_ID)
    with pytest.raises(EncodingError):
        packed_tuple(op)


@pytest.mark.parametrize("name", ["nonce", "pre_verification_gas"])
@pytest.mark.parametrize("value", [-1, 2**256])
def test_numbers_outside_uint256_are_refused(name, value):
    op = operation(**{name: value})

    with pytest.raises(EncodingError):
        user_operation_hash(op, chain_id=CHAIN_ID)
    with pytest.raises(EncodingError):
        handle_ops_data([op], RECIPIENT)


@pytest.mark.parametrize("name", ["verification_gas_limit", "post_op_gas_limit"])
@pytest.mark.parametrize("value", [-1, 2**128])
def test_paymaster_gas_outside_uint128_is_refused(name, value):
    payer = Paymaster(address=EOA, verification_gas_limit=0, post_op_gas_limit=0)

    with pytest.raises(EncodingError):
        paymaster_and_data(replace(payer, **{name: value}))


@pytest.mark.parametrize("chain_id", [-1, 2**256])
def test_a_chain_id_outside_uint256_is_refused(chain_id):
    with pytest.raises(EncodingError):
        user_operation_hash(operation(), chain_id=chain_id)


@pytest.mark.parametrize(
    "change",
    [
        {"sender": bytes(19)},
        {"factory": Factory(address=bytes(21))},
        {
            "paymaster": Paymaster(
                address=bytes(19), verification_gas_limit=0, post_op_gas_limit=0
            )
        },
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_address_of_another_width_is_refused(change):
    op = operation(**change)

    with pytest.raises(EncodingError):
        user_operation_hash(op, chain_id=CHAIN_ID)
    with pytest.raises(EncodingError):
        packed_tuple(op)


def test_the_highest_values_have_a_hash():
    highest = dict.fromkeys(ACCOUNT_GAS + FEES, 2**128 - 1)

    op = operation(nonce=2**256 - 1, pre_verification_gas=2**256 - 1, **highest)

    assert len(user_operation_hash(op, chain_id=2**256 - 1)) == 32


@given(st.integers(0, 2**192 - 1), st.integers(0, 2**64 - 1))
def test_a_nonce_is_split_again(key, sequence):
    assert split_nonce(join_nonce(key, sequence)) == (key, sequence)


@given(st.integers(0, 2**256 - 1))
def test_a_nonce_is_joined_again(nonce):
    assert join_nonce(*split_nonce(nonce)) == nonce


def test_the_key_stands_above_the_sequence():
    assert join_nonce(1, 0) == 2**64
    assert join_nonce(0, 1) == 1
    assert join_nonce(0, 0) == 0


@pytest.mark.parametrize(
    ("key", "sequence"), [(-1, 0), (2**192, 0), (0, -1), (0, 2**64)]
)
def test_a_nonce_outside_its_widths_is_refused(key, sequence):
    with pytest.raises(EncodingError):
        join_nonce(key, sequence)


@pytest.mark.parametrize("nonce", [-1, 2**256])
def test_a_nonce_outside_uint256_is_not_split(nonce):
    with pytest.raises(EncodingError):
        split_nonce(nonce)


def test_handle_ops_carries_packed_operations_and_beneficiary():
    payer = Paymaster(
        address=EOA, verification_gas_limit=3, post_op_gas_limit=0, data=b"\x09"
    )
    ops = [operation(signature=b"\x01\x02"), operation(paymaster=payer)]

    data = handle_ops_data(ops, RECIPIENT)

    assert data[:4] == selector(HANDLE_OPS)
    assert data[:4].hex() == "765e827f"
    packed, beneficiary = abi_decode(
        [f"{PACKED_USER_OPERATION}[]", "address"], data[4:]
    )
    assert beneficiary == f"0x{RECIPIENT.hex()}"
    assert [(bytes.fromhex(item[0][2:]), *item[1:]) for item in packed] == [
        packed_tuple(op) for op in ops
    ]


def test_packing_puts_the_halves_in_the_contracts_order():
    op = operation(
        verification_gas_limit=1,
        call_gas_limit=2,
        max_priority_fee_per_gas=3,
        max_fee_per_gas=4,
    )

    packed = packed_tuple(op)

    assert packed[4] == (1).to_bytes(16, "big") + (2).to_bytes(16, "big")
    assert packed[6] == (3).to_bytes(16, "big") + (4).to_bytes(16, "big")
