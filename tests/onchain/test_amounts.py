"""Amounts as people type them: exact or refused, never rounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain.amounts import UINT256_MAX, AmountError, parse_eth
from onchain.templatetags.display import eth

ETHER = 10**18

ACCEPTED = [
    ("0", 0),
    ("1", ETHER),
    ("0.25", ETHER // 4),
    (".5", ETHER // 2),
    ("1.000000000000000001", ETHER + 1),
    ("0.000000000000000001", 1),
    ("1.50000000000000000000000", ETHER * 3 // 2),
    ("007", 7 * ETHER),
    ("  2  ", 2 * ETHER),
    ("2 ETH", 2 * ETHER),
    ("2eth", 2 * ETHER),
    ("0.25 Eth", ETHER // 4),
    ("\t3\n", 3 * ETHER),
    ("\u00a03\u00a0", 3 * ETHER),
    ("0" * 100 + "1", ETHER),
    (str(UINT256_MAX // ETHER), UINT256_MAX // ETHER * ETHER),
]
REFUSED = {
    "empty": "",
    "space": "   ",
    "only the unit": "ETH",
    "word": "one",
    "negative": "-1",
    "minus sign": "\N{MINUS SIGN}1",
    "plus": "+1",
    "comma": "1,5",
    "thousands": "1,000.5",
    "two points": "1.2.3",
    "point alone": ".",
    "point at the end": "1.",
    "space inside": "1 000",
    "exponent": "1e3",
    "hexadecimal": "0x10",
    "infinity": "inf",
    "not a number": "NaN",
    "underscore": "1_000",
    "other digits": "\u0661",
    "full-width digits": "\uff11",
    "superscript": "1\u00b2",
    "fraction sign": "\u00bd",
    "NUL": "1\x00",
    "hidden mark": "1\u200b",
    "currency": "$1",
    "other unit": "1 gwei",
    "too precise": "0.0000000000000000001",
    "too large": str(UINT256_MAX // ETHER + 1),
    "far too large": "9" * 61,
    "absurdly large": "9" * 100_000,
    "absurdly precise": "0." + "1" * 100_000,
}


@pytest.mark.parametrize(("text", "wei"), ACCEPTED)
def test_a_plain_amount_is_exact(text: str, wei: int):
    assert parse_eth(text) == wei


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused_in_words(text: str):
    with pytest.raises(AmountError) as caught:
        parse_eth(text)

    words = str(caught.value)
    assert words[0].isupper()
    assert "!" not in words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-1", "negative"),
        ("1,5", "point"),
        ("0.0000000000000000001", "18 decimal places"),
        ("9" * 61, "more than can exist"),
    ],
)
def test_the_words_say_what_is_wrong(text: str, words: str):
    with pytest.raises(AmountError, match=words):
        parse_eth(text)


@given(st.integers(0, UINT256_MAX))
def test_what_a_page_prints_can_be_typed_again(wei: int):
    assert parse_eth(eth(wei)) == wei


@given(st.text())
def test_nothing_typed_is_a_fault(text: str):
    try:
        wei = parse_eth(text)
    except AmountError:
        return

    assert 0 <= wei <= UINT256_MAX
