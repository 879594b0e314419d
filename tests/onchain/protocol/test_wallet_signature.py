"""Signatures of wallets, against eth-account."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_defunct
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from onchain.protocol.errors import EncodingError
from onchain.protocol.wallet_signature import (
    EIP1271_MAGIC,
    OLDER_MAGIC,
    ORDER,
    is_valid_signature_data,
    older_is_valid_signature_data,
    parse_account_signature,
    personal_hash,
    personal_message,
    recovered_signer,
)
from tests.wallet_keys import SoftWallet

KEYS = st.integers(1, ORDER - 1).map(lambda key: key.to_bytes(32, "big"))
DIGEST = bytes(range(32))
WALLET = SoftWallet()


def with_high_s(signature: bytes) -> bytes:
    """Return the same key's other signature of the same hash."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@given(st.text())
def test_a_text_has_the_hash_of_eth_account(text: str):
    try:
        expected = _hash_eip191_message(encode_defunct(text=text))
    except UnicodeEncodeError:  # a lone surrogate is no text
        return

    assert personal_hash(text) == expected == keccak(personal_message(text))


@given(KEYS, st.binary(min_size=32, max_size=32))
def test_the_key_that_signed_is_recovered(key: bytes, digest: bytes):
    wallet = SoftWallet(account=Account.from_key(key))
    signature = wallet.sign_hash(digest)

    assert recovered_signer(digest, signature) == wallet.address


def test_a_high_s_is_taken_as_the_contract_takes_it():
    signature = with_high_s(WALLET.sign_hash(DIGEST))

    assert parse_account_signature(signature) == signature
    assert recovered_signer(DIGEST, signature) == WALLET.address


def test_a_v_of_0_or_1_is_27_or_28():
    signature = WALLET.sign_hash(DIGEST)
    raw = signature[:64] + bytes([signature[64] - 27])

    assert parse_account_signature(raw) == signature
    assert recovered_signer(DIGEST, raw) == WALLET.address


def malformed() -> dict[str, bytes]:
    good = WALLET.sign_hash(DIGEST)
    order = ORDER.to_bytes(32, "big")
    return {
        "empty": b"",
        "short": good[:-1],
        "long": good + b"\0",
        "v 2": good[:64] + b"\x02",
        "v 26": good[:64] + b"\x1a",
        "v 29": good[:64] + b"\x1d",
        "eth_sign's v": good[:64] + bytes([good[64] + 4]),
        "r 0": bytes(32) + good[32:],
        "s 0": good[:32] + bytes(32) + good[64:],
        "r too large": order + good[32:],
        "s too large": good[:32] + order + good[64:],
    }


@pytest.mark.parametrize("name", malformed())
def test_anything_else_is_no_signature(name: str):
    with pytest.raises(EncodingError):
        parse_account_signature(malformed()[name])
    with pytest.raises(EncodingError):
        recovered_signer(DIGEST, malformed()[name])


def test_an_r_of_no_point_is_nobodys():
    # Half of all x have no point on the curve: one of these is bound to be such.
    signatures = [r.to_bytes(32, "big") + b"\1" * 32 + b"\x1b" for r in range(1, 40)]

    found = []
    for signature in signatures:
        try:
            found.append(recovered_signer(DIGEST, signature))
        except EncodingError:
            found.append(None)

    assert None in found
    assert set(found) != {None}


def test_contracts_are_asked_in_both_ways():
    new = is_valid_signature_data(DIGEST, b"\1\2")
    older = older_is_valid_signature_data(b"message", b"\1\2")

    assert new == EIP1271_MAGIC + encode(["bytes32", "bytes"], [DIGEST, b"\1\2"])
    assert older == OLDER_MAGIC + encode(["bytes", "bytes"], [b"message", b"\1\2"])


def test_a_digest_of_another_length_is_refused():
    with pytest.raises(EncodingError):
        recovered_signer(DIGEST[:-1], WALLET.sign_hash(DIGEST))
