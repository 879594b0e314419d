"""Words that two people read to each other to know that they see the same keys.

Six words of the 2,048 of BIP-39's English list, which eth-account brings along: 66 bits
of SHA-256 over what is compared. Whoever swaps a key has to find another one with the
same words, which takes 2^66 tries. The words are no secret and open nothing.

Those of a recovery are of PBKDF2-SHA256 (RFC 8018), which a browser has too: somebody
who may choose the new owners freely could try many, so each try is made slow.
"""

from __future__ import annotations

import hashlib
from functools import cache

from eth_account.hdaccount.mnemonic import Mnemonic
from eth_account.types import Language

from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, Bytes32, PublicKey, require_bytes32

WORDS = 6
WORD_BITS = 11
TAG = b"Latchkey: the same words for the same keys, version 1"
RECOVERY_SALT = b"Latchkey: the same words for the same recovery, version 1"
RECOVERY_ROUNDS = 100_000


def words_of_key(*, account: Address, public_key: PublicKey) -> tuple[str, ...]:
    """Return the words of a passkey that is to sign for an account."""
    x, y = public_key.x, public_key.y
    return _words(b"key", account, x.to_bytes(32, "big"), y.to_bytes(32, "big"))


def words_of_wallet(*, account: Address, wallet: Address) -> tuple[str, ...]:
    """Return the words of a wallet that is to sign for an account."""
    return _words(b"wallet", account, wallet)


def words_of_account(account: Address) -> tuple[str, ...]:
    """Return the words of an account, whose address follows from its first owners."""
    return _words(b"account", account)


def words_of_recovery(recovery_hash: Bytes32) -> tuple[str, ...]:
    """Return the words of the hash that guardians sign; it takes some 50 ms.

    Raises:
        EncodingError: the hash is not 32 bytes.
    """
    digest = hashlib.pbkdf2_hmac(
        "sha256", require_bytes32(recovery_hash), RECOVERY_SALT, RECOVERY_ROUNDS
    )
    return _spoken(digest)


def _words(*parts: bytes) -> tuple[str, ...]:
    """Return six words; each part goes in with its length, so none can lend bytes."""
    digest = hashlib.sha256(TAG)
    for part in parts:
        digest.update(len(part).to_bytes(2, "big") + part)
    return _spoken(digest.digest())


def _spoken(digest: bytes) -> tuple[str, ...]:
    """Return the words of the low 66 bits, the lowest first."""
    number = int.from_bytes(digest, "big")
    found = _list()
    mask = len(found) - 1
    return tuple(found[number >> (WORD_BITS * place) & mask] for place in range(WORDS))


@cache
def _list() -> tuple[str, ...]:
    words = tuple(Mnemonic(Language.ENGLISH).wordlist)
    if len(set(words)) != 2**WORD_BITS:
        raise EncodingError("the list of words is not BIP-39's")
    return words
