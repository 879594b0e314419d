"""What pages print: exact amounts, whole and short addresses, hex, moments."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Credential
from onchain.protocol.types import to_address
from onchain.templatetags import display

ADDRESS = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
UINT256_MAX = 2**256 - 1


@pytest.mark.parametrize(
    ("value_wei", "text"),
    [
        (0, "0 ETH"),
        (1, "0.000000000000000001 ETH"),
        (250_000_000_000_000_000, "0.25 ETH"),
        (10**18, "1 ETH"),
        (100 * 10**18, "100 ETH"),
        (10**18 + 1, "1.000000000000000001 ETH"),
        (999_999_999_999_999_999, "0.999999999999999999 ETH"),
        (
            UINT256_MAX,
            "115792089237316195423570985008687907853269984665640564039457"
            ".584007913129639935 ETH",
        ),
        (None, ""),
    ],
)
def test_eth_is_exact_and_has_no_trailing_zeros(value_wei, text):
    assert display.eth(value_wei) == text


@pytest.mark.parametrize("value", [0.25, "1", True, b"\x01"])
def test_eth_refuses_anything_but_an_integer(value):
    with pytest.raises(TypeError):
        display.eth(value)


def test_eth_refuses_a_negative_amount():
    with pytest.raises(ValueError, match="negative"):
        display.eth(-1)


@given(st.integers(min_value=0, max_value=UINT256_MAX))
def test_every_amount_can_be_read_back_from_its_text(value_wei):
    number, _, unit = display.eth(value_wei).partition(" ")
    whole, _, decimals = number.partition(".")

    assert unit == "ETH"
    assert int(whole) * 10**18 + int(decimals.ljust(18, "0")) == value_wei
    assert not decimals.endswith("0")


@given(st.integers(min_value=0, max_value=UINT256_MAX))
def test_the_parts_of_an_amount_are_the_whole_amount(value_wei):
    parts = display.eth_parts(value_wei)

    assert f"{parts['lead']}{parts['tail']} ETH" == display.eth(value_wei)
    assert len(parts["lead"].partition(".")[2]) <= 6


def test_a_short_address_has_the_first_six_and_the_last_four():
    assert display.short_address(ADDRESS) == "0x7E5F…5Bdf"
    assert display.short_address(to_address(ADDRESS)) == "0x7E5F…5Bdf"


@pytest.mark.parametrize(
    "address", [ADDRESS, to_address(ADDRESS)], ids=["text", "bytes"]
)
def test_a_grouped_address_reads_as_one_string(address):
    markup = display.grouped_address(address)

    assert re.sub(r"<[^>]+>", "", markup) == ADDRESS


def test_a_grouped_address_has_the_prefix_and_ten_groups_of_four():
    groups = re.findall(r">([0-9A-Za-z]+)</span>", display.grouped_address(ADDRESS))

    assert groups[0] == "0x"
    assert [len(group) for group in groups[1:]] == [4] * 10


def test_a_grouped_address_escapes_what_is_not_an_address():
    assert "<b>" not in display.grouped_address("0x<b>")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"", "0x"),
        (b"\x00\xff", "0x00ff"),
        (memoryview(b"\x0a"), "0x0a"),
        (None, ""),
    ],
)
def test_hex_prints_bytes_with_their_leading_zeros(value, text):
    assert display.hex_text(value) == text


def test_unix_time_is_in_utc():
    assert display.unix_time(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert display.unix_time(None) is None


@pytest.mark.parametrize("seconds", [-1, 253_402_300_800, 2**64])
def test_a_second_that_no_calendar_has_is_no_moment(seconds):
    assert display.unix_time(seconds) is None


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=47), "1 day ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_ago_says_one_unit(monkeypatch, age, text):
    now = datetime(2025, 6, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)

    assert display.ago(now - age) == text


def test_ago_says_nothing_of_no_moment():
    assert display.ago(None) == ""


GOOGLE = "Google Password Manager"


@pytest.mark.parametrize(
    ("name", "label", "phrase"),
    [
        ("", f"Passkey from {GOOGLE}", f"the passkey from {GOOGLE}"),
        ("My phone", f"My phone ({GOOGLE})", f"My phone ({GOOGLE})"),
        ("Passkey 1", f"Passkey 1 ({GOOGLE})", f"Passkey 1 ({GOOGLE})"),
        ("\u202eenohp", f"⟨U+202E⟩enohp ({GOOGLE})", f"⟨U+202E⟩enohp ({GOOGLE})"),
    ],
)
def test_a_passkey_is_called_by_its_own_name_and_its_providers(name, label, phrase):
    google = uuid.UUID("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4")
    passkey = Credential(name=name, aaguid=google)

    assert display.passkey_label(passkey) == label
    assert display.passkey_phrase(passkey) == phrase


def test_no_passkey_has_a_label_and_no_fingerprint():
    nobody = Credential(name="", aaguid=uuid.UUID(int=0))

    assert display.passkey_label(nobody) == "Passkey from an unknown provider"
    assert display.passkey_label(None) == "Passkey that is not known here"
    assert display.passkey_phrase(None) == "the passkey that is not known here"
    assert display.key_fingerprint(None) == ""
