"""The address book as a file: strict in, harmless out."""

from __future__ import annotations

import pytest

from onchain.contact_files import MOST_BYTES, parse, written
from onchain.models import Contact
from onchain.protocol.types import to_address
from tests.wallets import RECIPIENT

OTHER = "0x8641AD3a0067B4F505047008E7e59e892F59Af24"


def parsed(*lines: str):
    return parse("\r\n".join(lines).encode())


def book(**names: str) -> str:
    return written(
        Contact(address=to_address(address), name=name)
        for address, name in names.items()
    )


def test_a_file_with_and_without_a_header_and_a_byte_order_mark():
    body = f'{RECIPIENT},Rent\r\n{OTHER},"Ann, from work"\r\n'
    names = {to_address(RECIPIENT): "Rent", to_address(OTHER): "Ann, from work"}

    for data in (body, f"Address,Name\r\n{body}", f"\ufeffaddress,name\r\n\r\n{body}"):
        assert parse(data.encode()).names == names


@pytest.mark.parametrize(
    ("line", "words"),
    {
        "one cell": (RECIPIENT, "an address and a name"),
        "three cells": (f"{RECIPIENT},a,b", "an address and a name"),
        "no name": (f"{RECIPIENT},", "1 to 60 characters"),
        "a long name": (f"{RECIPIENT},{'x' * 61}", "1 to 60 characters"),
        "no address": (",a", "This field is required"),
        "a short address": ("0x1234,a", "40 characters"),
        "a typo": (f"{RECIPIENT[:-1]}f,a", "checksum"),
    }.values(),
)
def test_each_bad_line_is_named_with_its_number(line, words):
    found = parsed(f"{OTHER},fine", line)

    [error] = found.errors
    assert error.startswith("Line 2: ")
    assert words in error


def test_a_line_that_comes_twice_is_counted_and_another_name_is_refused():
    assert parsed(f"{OTHER},a", f"{OTHER.lower()},a").duplicates == 1
    assert "another name above" in parsed(f"{OTHER},a", f"{OTHER},b").errors[0]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b'"',
        b"",
        b"address,name\n",
        b"x" * (MOST_BYTES + 1),
        b"a,b\n" * 1002,
    ],
    ids=["no UTF-8", "open quote", "empty", "header alone", "too large", "too long"],
)
def test_what_is_no_such_file_is_refused(data):
    found = parse(data)

    assert found.errors
    assert not found.names


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "'"])
def test_no_name_goes_out_as_a_formula_and_each_comes_back(first):
    name = f"{first}HYPERLINK(1)"

    text = book(**{RECIPIENT: name})

    cell = text.splitlines()[1].split(",", 1)[1].strip('"')
    assert cell.startswith("'")
    assert parse(text.encode()).names == {to_address(RECIPIENT): name}
