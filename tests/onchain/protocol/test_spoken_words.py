"""Words that stand for keys: the same for the same, others for anything else."""

from __future__ import annotations

import hashlib

import pytest
from eth_account.hdaccount.mnemonic import Mnemonic
from eth_account.types import Language
from hypothesis import given
from hypothesis import strategies as st

from onchain.protocol import spoken_words
from onchain.protocol.types import Address, PublicKey

ACCOUNT = Address(b"\xac" * 20)
KEY = PublicKey(x=7, y=9)
WORDS = Mnemonic(Language.ENGLISH).wordlist


def test_six_words_of_2048_are_66_bits():
    assert len(set(WORDS)) == 2**11
    assert len(spoken_words.words_of_key(account=ACCOUNT, public_key=KEY)) == 6


def test_the_words_are_the_low_66_bits_of_the_hash_lowest_first():
    parts = [b"key", ACCOUNT, (7).to_bytes(32, "big"), (9).to_bytes(32, "big")]
    data = spoken_words.TAG + b"".join(
        len(part).to_bytes(2, "big") + part for part in parts
    )
    number = int(hashlib.sha256(data).hexdigest(), 16)

    words = spoken_words.words_of_key(account=ACCOUNT, public_key=KEY)

    assert [WORDS.index(word) for word in words] == [
        number // 2048**place % 2048 for place in range(6)
    ]


def test_these_words_never_change():
    """Two people may be served by two versions of the site."""
    words = spoken_words.words_of_key(account=ACCOUNT, public_key=KEY)

    assert " ".join(words) == "addict fog fragile dirt winner unaware"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"account": Address(b"\xad" * 20)}, id="account"),
        pytest.param({"public_key": PublicKey(x=8, y=9)}, id="x"),
        pytest.param({"public_key": PublicKey(x=7, y=10)}, id="y"),
        pytest.param({"public_key": PublicKey(x=9, y=7)}, id="swapped"),
    ],
)
def test_other_keys_and_accounts_have_other_words(other):
    asked = {"account": ACCOUNT, "public_key": KEY}

    assert spoken_words.words_of_key(**asked) != spoken_words.words_of_key(
        **asked | other
    )


@given(st.binary(min_size=20, max_size=20))
def test_a_key_a_wallet_and_an_account_never_share_their_words(raw):
    address = Address(raw)

    said = {
        spoken_words.words_of_key(account=address, public_key=KEY),
        spoken_words.words_of_wallet(account=address, wallet=address),
        spoken_words.words_of_account(address),
    }

    assert len(said) == 3
