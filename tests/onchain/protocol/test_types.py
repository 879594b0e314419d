"""Addresses, words, hex and widths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain.protocol.errors import EncodingError
from onchain.protocol.types import (
    ZERO_ADDRESS,
    Address,
    checksum_address,
    parse_hex,
    require_address,
    require_bytes32,
    to_address,
    to_bytes32,
    to_hex,
    uint_bytes,
)

# EIP-55's own examples.
CHECKSUMMED = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
WIDTHS = [8, 48, 64, 128, 176, 192, 256]


@pytest.mark.parametrize("text", CHECKSUMMED)
def test_an_address_reads_and_prints_with_its_checksum(text):
    address = to_address(text)

    assert address == bytes.fromhex(text[2:])
    assert checksum_address(address) == text


@pytest.mark.parametrize("text", CHECKSUMMED)
def test_an_address_in_one_case_carries_no_checksum(text):
    assert to_address(text.lower()) == to_address(text)
    assert to_address("0x" + text[2:].upper()) == to_address(text)


@pytest.mark.parametrize("text", CHECKSUMMED)
def test_a_wrong_checksum_is_refused(text):
    with pytest.raises(EncodingError, match="checksum"):
        to_address("0x" + text[2:].swapcase())


def test_an_address_of_digits_only_is_accepted():
    assert to_address("0x" + "0" * 40) == ZERO_ADDRESS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        CHECKSUMMED[0][2:],
        CHECKSUMMED[0] + "00",
        CHECKSUMMED[0][:-1],
        CHECKSUMMED[0][:-2],
        f" {CHECKSUMMED[0]}",
        f"{CHECKSUMMED[0]}\n",
        "0X" + CHECKSUMMED[0][2:],
        "0x" + "g" * 40,
        "0x" + "٠" * 40,
        None,
        5,
        bytes(20),
    ],
    ids=repr,
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(EncodingError):
        to_address(text)


@pytest.mark.parametrize("width", [0, 19, 21, 32])
def test_an_address_has_20_bytes(width):
    with pytest.raises(EncodingError):
        require_address(bytes(width))
    with pytest.raises(EncodingError):
        checksum_address(Address(bytes(width)))


@pytest.mark.parametrize("width", [0, 31, 33])
def test_a_word_has_32_bytes(width):
    with pytest.raises(EncodingError):
        require_bytes32(bytes(width))
    with pytest.raises(EncodingError):
        to_bytes32(to_hex(bytes(width)))


def test_bytes_of_another_type_are_refused():
    with pytest.raises(EncodingError):
        require_address(bytearray(20))
    with pytest.raises(EncodingError):
        require_bytes32("0" * 32)


@pytest.mark.parametrize("text", ["0x0", "00", "0xzz", "0x 00", "0x00 ", "0x0\n", "x"])
def test_what_is_no_hex_is_refused(text):
    with pytest.raises(EncodingError):
        parse_hex(text)


@given(st.binary(max_size=70))
def test_hex_is_read_back(data):
    assert parse_hex(to_hex(data)) == data


@pytest.mark.parametrize("bits", WIDTHS)
def test_an_integer_fills_its_width(bits):
    assert uint_bytes(0, bits) == bytes(bits // 8)
    assert uint_bytes(2**bits - 1, bits) == b"\xff" * (bits // 8)


@pytest.mark.parametrize("bits", WIDTHS)
def test_an_integer_outside_its_width_is_refused(bits):
    for value in (-1, 2**bits):
        with pytest.raises(EncodingError):
            uint_bytes(value, bits)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, b"\x01"])
def test_only_integers_become_integers(value):
    with pytest.raises(EncodingError):
        uint_bytes(value, 256)


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_an_integer_is_read_back(value):
    assert int.from_bytes(uint_bytes(value, 256), "big") == value
