"""What the shared signer says of an account."""

from __future__ import annotations

import pytest
from eth_abi import encode

from onchain.protocol.deployments import VERIFIERS
from onchain.protocol.errors import EncodingError
from onchain.protocol.shared_signer import SharedKey, decode_configuration
from onchain.protocol.types import PublicKey

# The base point of P-256 (FIPS 186-4, D.1.2.3).
GENERATOR_X = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
GENERATOR_Y = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5


def answer(x: int, y: int) -> bytes:
    return encode(["uint256", "uint256", "uint176"], [x, y, VERIFIERS])


def test_a_key_is_read_with_its_verifiers():
    key = PublicKey(x=GENERATOR_X, y=GENERATOR_Y)

    found = decode_configuration(answer(key.x, key.y))

    assert found == SharedKey(public_key=key, verifiers=VERIFIERS)


@pytest.mark.parametrize(
    ("x", "y"), [(0, 0), (1, 1), (2**256 - 1, 2**256 - 1)], ids=["none", "off", "wide"]
)
def test_what_is_no_point_on_the_curve_is_nobodys_key(x: int, y: int):
    assert decode_configuration(answer(x, y)) is None


def test_another_answer_is_none():
    with pytest.raises(EncodingError):
        decode_configuration(b"")
