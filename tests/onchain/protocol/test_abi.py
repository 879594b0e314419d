"""ABI encoding: strict both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain.protocol.abi import (
    argument_types,
    call_data,
    create2_address,
    decode,
    decode_call,
    encode,
    keccak,
    selector,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import checksum_address, to_address


# protocol.md names these; the contracts' artifacts hold the same.
@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("createSigner(uint256,uint256,uint176)", "0d2f0489"),
        (
            "setup(address[],uint256,address,bytes,address,address,uint256,address)",
            "b63e800d",
        ),
        ("enableModules(address[])", "8d0dc49f"),
        ("configure((uint256,uint256,uint176))", "0dd9692f"),
        ("multiSend(bytes)", "8d80ff0a"),
        ("executeUserOpWithErrorString(address,uint256,bytes,uint8)", "541d63c8"),
        ("createProxyWithNonce(address,bytes,uint256)", "1688f0b9"),
    ],
)
def test_selectors_are_those_of_the_contracts(signature, expected):
    assert selector(signature).hex() == expected


def test_argument_types_keep_tuples_and_arrays_whole():
    types = argument_types("f((address,bool,bytes)[],uint256[2],bytes)")

    assert types == ("(address,bool,bytes)[]", "uint256[2]", "bytes")


def test_a_function_without_arguments_is_its_selector():
    assert call_data("VERSION()") == selector("VERSION()")
    assert decode_call("VERSION()", selector("VERSION()")) == ()
    with pytest.raises(EncodingError):
        decode_call("VERSION()", selector("VERSION()") + bytes(32))


# EIP-1014's own examples.
@pytest.mark.parametrize(
    ("deployer", "salt", "code", "expected"),
    [
        (
            "0x0000000000000000000000000000000000000000",
            "00" * 32,
            "00",
            "0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38",
        ),
        (
            "0xdeadbeef00000000000000000000000000000000",
            "00" * 32,
            "00",
            "0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3",
        ),
        (
            "0x00000000000000000000000000000000deadbeef",
            "00" * 28 + "cafebabe",
            "deadbeef",
            "0x60f3f640a8508fC6a86d45DF051962668E1e8AC7",
        ),
        (
            "0x0000000000000000000000000000000000000000",
            "00" * 32,
            "",
            "0xE33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0",
        ),
    ],
)
def test_create2_addresses_are_those_of_eip_1014(deployer, salt, code, expected):
    address = create2_address(
        deployer=to_address(deployer),
        salt=bytes.fromhex(salt),
        init_code_hash=keccak(bytes.fromhex(code)),
    )

    assert checksum_address(address) == expected


@pytest.mark.parametrize(
    "part", [{"deployer": bytes(19)}, {"salt": bytes(31)}, {"init_code_hash": b""}]
)
def test_create2_refuses_parts_of_another_width(part):
    parts = {"deployer": bytes(20), "salt": bytes(32), "init_code_hash": bytes(32)}

    with pytest.raises(EncodingError):
        create2_address(**{**parts, **part})


@pytest.mark.parametrize(
    ("abi_type", "value"),
    [
        ("address", bytes(19)),
        ("address", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
        ("bytes32", bytes(31)),
        ("bytes32", bytes(33)),
        ("uint8", 256),
        ("uint48", 2**48),
        ("uint128", 2**128),
        ("uint176", 2**176),
        ("uint256", 2**256),
        ("uint256", -1),
        ("uint256", True),
        ("uint256", "1"),
        ("bytes", "0x"),
        ("bool", 1),
    ],
)
def test_a_value_of_another_type_or_width_is_refused(abi_type, value):
    with pytest.raises(EncodingError):
        encode((abi_type,), (value,))


def test_the_number_of_values_must_fit():
    with pytest.raises(EncodingError):
        encode(("uint256",), (1, 2))


@given(st.integers(0, 2**256 - 1), st.binary(max_size=100), st.booleans())
def test_values_are_read_back(number, data, flag):
    types = ("uint256", "bytes", "bool")

    assert decode(types, encode(types, (number, data, flag))) == (number, data, flag)


def test_bytes_that_we_would_not_write_are_not_read():
    data = encode(("bytes",), (b"\x01",))

    for other in (
        data + bytes(32),  # trailing word
        data[:-1],  # cut short
        data[:-1] + b"\x01",  # dirty padding
        bytes(31) + b"\x40" + bytes(32) + data[32:],  # another offset
        b"",
    ):
        with pytest.raises(EncodingError):
            decode(("bytes",), other)


def test_dirty_upper_bytes_are_not_read():
    with pytest.raises(EncodingError):
        decode(("address",), b"\x01" + bytes(31))
    with pytest.raises(EncodingError):
        decode(("uint8",), b"\x01" + bytes(31))
    with pytest.raises(EncodingError):
        decode(("bool",), bytes(31) + b"\x02")


def test_text_that_is_not_utf8_is_not_read():
    with pytest.raises(EncodingError):
        decode(("string",), encode(("bytes",), (b"\xff",)))


def test_a_call_of_another_function_is_not_read():
    data = call_data("transfer(uint256)", 1)

    assert decode_call("transfer(uint256)", data) == (1,)
    with pytest.raises(EncodingError, match="not a call"):
        decode_call("transfer(uint128)", data)
    with pytest.raises(EncodingError, match="not a call"):
        decode_call("transfer(uint256)", data[:3])
