"""Data and hash of the VerifyingPaymaster; the chain's own answer is tested apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from onchain.protocol.errors import EncodingError
from onchain.protocol.paymaster import (
    decode_paymaster_validation,
    validate_paymaster_user_op_data,
    verifying_paymaster_data,
    verifying_paymaster_hash,
)
from onchain.protocol.types import Bytes32, checksum_address
from onchain.protocol.user_operation import Factory, Paymaster
from tests.onchain.protocol.vectors import CHAIN_ID, EOA, RECIPIENT, operation

PAYER = Paymaster(address=EOA, verification_gas_limit=60_000, post_op_gas_limit=0)
OP = operation(paymaster=PAYER)
SIGNATURE = bytes(range(65))


def digest(op=OP, **changes):
    values = {
        "chain_id": CHAIN_ID,
        "paymaster": EOA,
        "valid_until": 2,
        "valid_after": 1,
        **changes,
    }
    return verifying_paymaster_hash(op, **values)


@pytest.mark.parametrize("payer", [PAYER, replace(PAYER, verification_gas_limit=0)])
def test_the_hash_is_that_of_the_contracts_words(payer):
    op = replace(OP, paymaster=payer)
    words = [
        checksum_address(op.sender),
        op.nonce,
        keccak(b""),
        keccak(op.call_data),
        op.verification_gas_limit << 128 | op.call_gas_limit,
        payer.verification_gas_limit << 128 | payer.post_op_gas_limit,
        op.pre_verification_gas,
        op.max_priority_fee_per_gas << 128 | op.max_fee_per_gas,
        CHAIN_ID,
        checksum_address(EOA),
        2,
        1,
    ]
    types = "address uint256 bytes32 bytes32 uint256 uint256 uint256 uint256 uint256 address uint48 uint48"

    assert digest(op) == keccak(abi_encode(types.split(), words))


def test_the_hash_covers_all_but_the_data_and_the_signature():
    changed = [
        digest(replace(OP, nonce=OP.nonce + 1)),
        digest(replace(OP, factory=Factory(address=RECIPIENT))),
        digest(replace(OP, call_data=b"")),
        digest(replace(OP, call_gas_limit=0)),
        digest(replace(OP, pre_verification_gas=0)),
        digest(replace(OP, max_fee_per_gas=0)),
        digest(replace(OP, paymaster=replace(PAYER, post_op_gas_limit=1))),
        digest(chain_id=1),
        digest(valid_until=3),
        digest(valid_after=2),
    ]
    carrying = replace(
        PAYER,
        data=verifying_paymaster_data(
            valid_until=2, valid_after=1, signature=SIGNATURE
        ),
    )

    assert len({digest(), *changed}) == 1 + len(changed)
    assert digest(replace(OP, paymaster=carrying, signature=b"\x01")) == digest()


@pytest.mark.parametrize(
    "op",
    [operation(), replace(OP, paymaster=replace(PAYER, address=RECIPIENT))],
    ids=["no paymaster", "another paymaster"],
)
def test_an_operation_of_another_payer_is_refused(op):
    with pytest.raises(EncodingError):
        digest(op)


@pytest.mark.parametrize("name", ["valid_until", "valid_after"])
@pytest.mark.parametrize("value", [-1, 2**48])
def test_times_outside_uint48_are_refused(name, value):
    times = {"valid_until": 0, "valid_after": 0, name: value}

    with pytest.raises(EncodingError):
        digest(**times)
    with pytest.raises(EncodingError):
        verifying_paymaster_data(**times, signature=SIGNATURE)


@pytest.mark.parametrize("name", ["verification_gas_limit", "post_op_gas_limit"])
@pytest.mark.parametrize("value", [-1, 2**128])
def test_gas_outside_uint128_is_refused(name, value):
    with pytest.raises(EncodingError):
        digest(replace(OP, paymaster=replace(PAYER, **{name: value})))


def test_data_is_two_words_and_the_signature():
    data = verifying_paymaster_data(
        valid_until=2**48 - 1, valid_after=0, signature=SIGNATURE
    )

    assert data == bytes(26) + b"\xff" * 6 + bytes(32) + SIGNATURE


@pytest.mark.parametrize("length", [0, 64, 66])
def test_a_signature_of_another_length_is_refused(length):
    with pytest.raises(EncodingError):
        verifying_paymaster_data(valid_until=0, valid_after=0, signature=bytes(length))


# --- What a paymaster answers -----------------------------------------------------------


def answer(*, after: int = 0, until: int = 0, authorizer: int = 0) -> bytes:
    packed = after << 208 | until << 160 | authorizer
    return abi_encode(["bytes", "uint256"], [b"\x01", packed])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (True, None, 0)),
        ({"until": 1}, (True, 1, 0)),
        ({"until": 2**48 - 1, "after": 2**48 - 1}, (True, 2**48 - 1, 2**48 - 1)),
        ({"authorizer": 1, "until": 5}, (False, 5, 0)),
        ({"authorizer": 2**160 - 1}, (False, None, 0)),
    ],
)
def test_an_answer_is_read_as_the_entry_point_reads_it(given, expected):
    found = decode_paymaster_validation(answer(**given))

    assert (found.is_accepted, found.valid_until, found.valid_after) == expected


@pytest.mark.parametrize(
    "data", [b"", bytes(32), answer()[:-1], answer() + bytes(32)], ids=len
)
def test_what_is_no_answer_is_refused(data):
    with pytest.raises(EncodingError):
        decode_paymaster_validation(data)


def test_the_question_is_the_entry_points():
    data = validate_paymaster_user_op_data(
        OP, operation_hash=Bytes32(b"\x07" * 32), max_cost_wei=9
    )

    assert data[:4].hex() == "52b7512c"  # IPaymaster.sol of v0.7.0
    operation_hash, max_cost_wei = abi_decode(["bytes32", "uint256"], data[36:100])
    assert (operation_hash, max_cost_wei) == (b"\x07" * 32, 9)


@pytest.mark.parametrize("value", [-1, 2**256])
def test_a_cost_outside_uint256_is_refused(value):
    with pytest.raises(EncodingError):
        validate_paymaster_user_op_data(
            OP, operation_hash=Bytes32(bytes(32)), max_cost_wei=value
        )
