"""What the Allowance module answers, and how much of it is believed."""

from __future__ import annotations

import json

import pytest

from onchain.protocol.abi import encode, keccak
from onchain.protocol.allowances import (
    ALLOWANCE_EVENTS,
    ALLOWANCE_MODULES,
    DELEGATES_READ,
    account_of,
    decode_allowance,
    decode_delegates,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, Bytes32, to_address
from tests.onchain.protocol.conftest import PACKAGES

ACCOUNT = Address(b"\x5a" * 20)
NAMES = {"module": ALLOWANCE_MODULES[0], "delegate": ACCOUNT, "token": ACCOUNT}


def people(count: int) -> list[Address]:
    return [Address((900 + number).to_bytes(20, "big")) for number in range(count)]


@pytest.mark.parametrize(
    ("count", "following", "is_complete"),
    [
        (0, 0, True),
        (DELEGATES_READ, 0, True),
        (DELEGATES_READ, 1, False),
        (DELEGATES_READ + 1, 0, False),
    ],
)
def test_delegates_are_cut_and_the_cut_is_known(
    count: int, following: int, is_complete: bool
):
    data = encode(["address[]", "uint48"], [people(count), following])

    found = decode_delegates(data)

    assert found == (people(min(count, DELEGATES_READ)), is_complete)


def words(*numbers: int) -> bytes:
    return encode(["uint256[5]"], [numbers])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        words(1, 1, 1, 1, 1)[:-1],
        words(2**96, 0, 0, 0, 0),
        words(0, 0, 2**16, 0, 0),
    ],
    ids=["nothing", "cut short", "amount", "reset"],
)
def test_what_no_module_keeps_is_no_allowance(data: bytes):
    with pytest.raises(EncodingError):
        decode_allowance(data, **NAMES)


def test_an_allowance_is_its_first_three_words():
    found = decode_allowance(words(2**96 - 1, 4, 2**16 - 1, 9, 9), **NAMES)

    assert (found.amount, found.spent, found.reset_minutes) == (2**96 - 1, 4, 65_535)


@pytest.mark.parametrize("version", ["0.1.0", "0.1.1"])
def test_the_published_modules_are_known_with_all_that_they_emit(version: str):
    folder = PACKAGES / "safe-modules-deployments/dist/assets/allowance-module"
    path = folder / f"v{version}" / "allowance-module.json"
    published = json.loads(path.read_text())
    events = [item for item in published["abi"] if item["type"] == "event"]
    signatures = {
        f"{event['name']}({','.join(each['type'] for each in event['inputs'])})"
        for event in events
        if event["name"] != "PayAllowanceTransfer"  # beside the transfer that it pays
    }

    known = {to_address(at) for at in published["networkAddresses"].values()}
    assert known <= set(ALLOWANCE_MODULES)
    assert {keccak(text.encode()) for text in signatures} == set(ALLOWANCE_EVENTS)


def test_only_a_modules_own_event_is_about_an_account():
    module, topic = ALLOWANCE_MODULES[0], ALLOWANCE_EVENTS[0]
    named = Bytes32(ACCOUNT.rjust(32, b"\0"))

    assert account_of(emitter=module, topics=[topic, named]) == ACCOUNT
    assert account_of(emitter=module, topics=[topic]) is None
    assert account_of(emitter=module, topics=[Bytes32(b"\1" * 32), named]) is None
    assert account_of(emitter=ACCOUNT, topics=[topic, named]) is None
