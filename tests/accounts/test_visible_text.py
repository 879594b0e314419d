"""R34: what somebody typed is shown with nothing hidden in it, and not too long."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.visible_text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("My phone", "My phone"),
        ("Zoë's 鍵 🔑\ufe0f", "Zoë's 鍵 🔑\ufe0f"),
        ("a\nBcc: b", "a⟨U+000A⟩Bcc: b"),
        ("a\r\n", "a⟨U+000D⟩⟨U+000A⟩"),
        ("\u202egnp.exe", "⟨U+202E⟩gnp.exe"),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("a\u2028b", "a⟨U+2028⟩b"),
        ("\u3164", "⟨U+3164⟩"),
        ("\U000e0101", "⟨U+E0101⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("", ""),
    ],
)
def test_hidden_characters_are_printed_as_code_points(text, shown):
    assert visible(text, limit=80) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("abcdef", "abcdef"), ("abcdefg", "abcde…"), ("abcd\n", "abcd…")],
)
def test_it_is_cut_where_it_would_pass_the_limit(text, shown):
    assert visible(text, limit=6) == shown


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_whatever_comes_in_what_goes_out_is_short_and_plain(text, limit):
    shown = visible(text, limit=limit)

    assert len(shown) <= limit
    assert not {unicodedata.category(each) for each in shown} & {"Cc", "Cf", "Cs", "Zl"}
