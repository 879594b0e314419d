"""The words that the browser reads out are the server's, in the same order."""

from __future__ import annotations

from pathlib import Path

from eth_account.hdaccount.mnemonic import Mnemonic
from eth_account.types import Language

from onchain.protocol import spoken_words

SCRIPTS = Path(__file__).parent.parent / "static" / "js"


def test_the_browser_has_the_same_list():
    text = (SCRIPTS / "spoken_words.js").read_text()

    words = text.split("`")[1].split()

    assert words == list(Mnemonic(Language.ENGLISH).wordlist)
    assert len(words) == 2**spoken_words.WORD_BITS


def test_the_browser_makes_them_as_slowly_and_with_the_same_salt():
    text = (SCRIPTS / "recovery_words.js").read_text()

    assert spoken_words.RECOVERY_SALT.decode() in text
    assert f"ROUNDS = {spoken_words.RECOVERY_ROUNDS:_}" in text
