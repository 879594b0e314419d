"""The JSON form of user operations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address
from onchain.protocol.user_operation import (
    Factory,
    Paymaster,
    UserOperationV07,
    from_rpc,
    to_rpc,
)
from tests.onchain.protocol.vectors import (
    EOA,
    OPERATION_NAMES,
    OPERATIONS,
    VECTORS,
    operation,
)

FIELDS = VECTORS[0]["ops"][1]
FACTORY = {"factory": FIELDS["paymaster"], "factoryData": "0x"}

addresses = st.binary(min_size=20, max_size=20).map(Address)
uint128s = st.integers(0, 2**128 - 1)
uint256s = st.integers(0, 2**256 - 1)
data = st.binary(max_size=60)
operations = st.builds(
    UserOperationV07,
    sender=addresses,
    nonce=uint256s,
    factory=st.none() | st.builds(Factory, address=addresses, data=data),
    call_data=data,
    call_gas_limit=uint128s,
    verification_gas_limit=uint128s,
    pre_verification_gas=uint256s,
    max_fee_per_gas=uint128s,
    max_priority_fee_per_gas=uint128s,
    paymaster=st.none()
    | st.builds(
        Paymaster,
        address=addresses,
        verification_gas_limit=uint128s,
        post_op_gas_limit=uint128s,
        data=data,
    ),
    signature=data,
)


@given(operations)
def test_an_operation_is_read_back(op):
    assert from_rpc(to_rpc(op)) == op


@pytest.mark.parametrize(("fields", "_hashes"), OPERATIONS, ids=OPERATION_NAMES)
def test_fields_are_those_of_abstractionkit(fields, _hashes):
    written = to_rpc(from_rpc(fields))

    assert {name: text.lower() for name, text in written.items()} == {
        name: text.lower() for name, text in fields.items() if text is not None
    }


def test_absent_groups_are_not_written():
    fields = to_rpc(operation())

    assert not [name for name in fields if name.startswith(("factory", "paymaster"))]
    assert fields["signature"] == "0x"


def test_a_paymaster_with_zeros_is_written_and_read():
    payer = Paymaster(address=EOA, verification_gas_limit=0, post_op_gas_limit=0)

    fields = to_rpc(operation(paymaster=payer))

    assert fields["paymasterVerificationGasLimit"] == "0x0"
    assert fields["paymasterPostOpGasLimit"] == "0x0"
    assert fields["paymasterData"] == "0x"
    assert from_rpc(fields).paymaster == payer


def test_a_factory_without_data_is_written_and_read():
    fields = to_rpc(operation(factory=Factory(address=EOA)))

    assert fields["factoryData"] == "0x"
    assert from_rpc(fields).factory == Factory(address=EOA)


def test_null_is_absent_and_an_absent_signature_is_empty():
    fields = {name: value for name, value in FIELDS.items() if name != "signature"}
    nulls = dict.fromkeys(["factory", "factoryData", "signature", "eip7702Auth"])

    assert from_rpc({**fields, **nulls}) == from_rpc(FIELDS)


def test_quantities_may_be_integers_or_have_leading_zeros():
    assert from_rpc({**FIELDS, "nonce": 1}) == from_rpc(FIELDS)
    assert from_rpc({**FIELDS, "nonce": "0x01"}) == from_rpc(FIELDS)


@pytest.mark.parametrize(
    "name", [name for name in FIELDS if name not in {"signature", *FACTORY}]
)
def test_a_missing_field_is_named(name):
    fields = {key: value for key, value in FIELDS.items() if key != name}

    with pytest.raises(EncodingError, match=f"missing field: {name}"):
        from_rpc(fields)


@pytest.mark.parametrize("name", FACTORY)
def test_half_a_factory_is_refused(name):
    other = next(iter(FACTORY.keys() - {name}))

    with pytest.raises(EncodingError, match=f"missing field: {other}"):
        from_rpc({**FIELDS, name: FACTORY[name]})


@pytest.mark.parametrize(
    "name", ["initCode", "paymasterAndData", "eip7702Auth", "Nonce", "chainId", ""]
)
def test_an_unknown_field_is_refused(name):
    with pytest.raises(EncodingError, match="unknown field"):
        from_rpc({**FIELDS, name: "0x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sender", "0x"),
        ("sender", FIELDS["sender"] + "00"),
        ("sender", FIELDS["sender"].swapcase().replace("0X", "0x")),
        ("sender", 5),
        ("paymaster", "0x1234"),
        ("nonce", "1"),
        ("nonce", "0x"),
        ("nonce", "-0x1"),
        ("nonce", -1),
        ("nonce", 1.0),
        ("nonce", True),
        ("nonce", []),
        ("nonce", "0x" + "f" * 65),
        ("nonce", 2**256),
        ("preVerificationGas", 2**256),
        ("callGasLimit", hex(2**128)),
        ("verificationGasLimit", hex(2**128)),
        ("maxFeePerGas", hex(2**128)),
        ("maxPriorityFeePerGas", hex(2**128)),
        ("paymasterVerificationGasLimit", hex(2**128)),
        ("paymasterPostOpGasLimit", hex(2**128)),
        ("callData", "0x1"),
        ("callData", "deadbeef"),
        ("callData", 0),
        ("paymasterData", "0xzz"),
        ("signature", {}),
    ],
)
def test_a_value_of_another_shape_is_refused_and_named(name, value):
    with pytest.raises(EncodingError, match=f"^{name}: "):
        from_rpc({**FIELDS, name: value})


@pytest.mark.parametrize(
    ("change", "bits"),
    [
        ("nonce", 256),
        ("pre_verification_gas", 256),
        ("call_gas_limit", 128),
        ("verification_gas_limit", 128),
        ("max_fee_per_gas", 128),
        ("max_priority_fee_per_gas", 128),
    ],
)
def test_a_quantity_outside_its_width_is_not_written(change, bits):
    for value in (-1, 2**bits):
        with pytest.raises(EncodingError):
            to_rpc(operation(**{change: value}))
    assert to_rpc(operation(**{change: 2**bits - 1}))
    assert to_rpc(operation(**{change: 0}))
