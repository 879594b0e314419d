"""Revert data in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain.protocol.abi import call_data
from onchain.protocol.revert import TEXT_LIMIT, decode_revert

NESTED = call_data("Error(string)", "GS026")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "reverted without a reason"),
        (call_data("Error(string)", "GS024"), "GS024"),
        (call_data("Error(string)", ""), "reverted with an empty reason"),
        (call_data("Panic(uint256)", 0x11), "arithmetic overflow"),
        (call_data("Panic(uint256)", 0), "panic 0"),
        (call_data("Panic(uint256)", 2**256 - 1), f"panic {2**256 - 1}"),
        (
            call_data("FailedOp(uint256,string)", 0, "AA25 invalid account nonce"),
            "AA25 invalid account nonce",
        ),
        (
            call_data(
                "FailedOpWithRevert(uint256,string,bytes)", 0, "AA23 reverted", NESTED
            ),
            "AA23 reverted: GS026",
        ),
        (bytes.fromhex("acfdb444"), "ExecutionFailed"),
        (bytes.fromhex("acfdb444") + b"\1", "ExecutionFailed"),
        (bytes.fromhex("deadbeef"), "reverted with 0xdeadbeef"),
        (bytes.fromhex("ac"), "reverted with 0xac"),
        (bytes.fromhex("08c379a0"), "reverted with 0x08c379a0"),
        (NESTED + b"\x00", "reverted with 0x08c379a0"),
        (call_data("Error(string)", "GS024")[:-1], "reverted with 0x08c379a0"),
    ],
)
def test_a_revert_has_words(data, words):
    assert decode_revert(data) == words


def test_a_reason_is_one_short_visible_line():
    hidden = "a\nb\u202ec\u200bd\x00"

    words = decode_revert(call_data("Error(string)", hidden + "x" * 1000))

    assert words.startswith("a\\u{a}b\\u{202e}c\\u{200b}d\\u{0}")
    assert len(words) == TEXT_LIMIT + 1
    assert words.isprintable()


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda d: NESTED[:4] + d))
def test_any_data_has_words(data):
    assert decode_revert(data)


@given(st.text(max_size=50))
def test_any_reason_has_words(text):
    assert decode_revert(call_data("Error(string)", text)).isprintable()
