"""What a passkey signed is read back from the row, bit by bit."""

from __future__ import annotations

import hashlib
import json

import pytest

from onchain.protocol.errors import EncodingError
from onchain.protocol.passkey_signature import (
    decode_passkey_signature,
    passkey_signature,
)
from onchain.services.signature_details import details_of
from tests.factories import World
from tests.soft_authenticator import RP_ID, UP, UV, authenticator_data, base64url


def test_the_answer_of_a_passkey_is_told_piece_by_piece(world: World):
    world.wallet.passkey.sign_count = 7
    world.wallet.passkey.flags = UP | UV
    op = world.sign()

    (details,) = details_of(op)

    told = json.loads(details.client_data)
    assert told["challenge"] == base64url(op.safe_operation_hash)
    assert told["type"] == "webauthn.get"
    assert details.is_of_this_site
    assert details.sign_count == 7
    flags = {flag.code: flag.is_set for flag in details.flags}
    assert flags == {
        **{"UP": True, "UV": True, "BE": False},
        **{"BS": False, "AT": False, "ED": False},
    }
    assert details.authenticator_data[:32] == hashlib.sha256(RP_ID.encode()).digest()


def test_an_answer_for_another_site_is_told_as_such(world: World):
    op = world.sign()
    data = authenticator_data(flags=UP | UV, rp_id="evil.example")
    op.signatures.update(
        signature=passkey_signature(
            authenticator_data=data, client_data_fields=b'"a":1', r=1, s=1
        )
    )

    (details,) = details_of(op)

    assert not details.is_of_this_site


def test_an_operation_that_nobody_signed_has_none(world: World):
    assert details_of(world.prepare()) == []


@pytest.mark.parametrize("signature", [b"", b"\5" * 96], ids=["empty", "noise"])
def test_a_signature_that_cannot_be_read_is_left_out(world: World, signature: bytes):
    op = world.sign()
    op.signatures.update(signature=signature)

    assert details_of(op) == []


def test_authenticator_data_without_its_fields_is_refused():
    signature = passkey_signature(
        authenticator_data=b"\0" * 36, client_data_fields=b"a", r=1, s=1
    )

    with pytest.raises(EncodingError):
        decode_passkey_signature(signature)


def test_decoding_gives_back_what_was_encoded():
    data = authenticator_data(flags=UP | UV)
    signature = passkey_signature(
        authenticator_data=data, client_data_fields=b'"a":1', r=1, s=2
    )

    assert decode_passkey_signature(signature) == (data, b'"a":1')
