"""Verification by itself: options, 32-byte challenges of a chain, allowed credentials."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import client_data, strict_json, webauthn
from accounts.authenticator_data import parse, parse_attestation_object
from accounts.errors import (
    CeremonyFailed,
    MalformedResponse,
    UnusableKey,
    UserNotVerified,
    WrongSite,
)
from tests.soft_authenticator import (
    BS,
    ORIGIN,
    RP_ID,
    UP,
    UV,
    SoftAuthenticator,
    authenticator_data,
    base64url,
)

HASH = bytes(range(32))


def record(passkey):
    passkey.user_handle = passkey.user_handle or secrets.token_bytes(64)
    return webauthn.CredentialRecord(
        credential_id=passkey.credential_id,
        public_key_x=passkey.x,
        public_key_y=passkey.y,
        user_handle=passkey.user_handle,
    )


def verify(passkey, *, challenge=HASH, credential=None, changes=None, **arguments):
    credential = credential or record(passkey)
    answer = passkey.get({"challenge": base64url(challenge)}, **(changes or {}))
    return webauthn.verify_assertion(
        response=json.dumps(answer),
        expected_challenge=HASH,
        credential=credential,
        **{"rp_id": RP_ID, "origin": ORIGIN} | arguments,
    )


def test_an_authorisation_over_a_32_byte_hash_gives_the_bytes_for_the_chain(passkey):
    verified = verify(passkey, allowed_credential_ids=[passkey.credential_id])

    start = f'{{"type":"webauthn.get","challenge":"{base64url(HASH)}",'
    assert verified.client_data_json.startswith(start.encode())
    assert verified.authenticator_data[32] & 0x05 == 0x05
    assert verified.credential_id == passkey.credential_id
    assert verified.signature[0] == 0x30


def test_another_hash_is_refused(passkey):
    with pytest.raises(MalformedResponse):
        verify(passkey, challenge=b"\x01" * 32)


def test_a_passkey_that_was_not_asked_is_refused(passkey):
    with pytest.raises(CeremonyFailed):
        verify(passkey, allowed_credential_ids=[b"\x01" * 32])


def test_an_empty_list_allows_nobody(passkey):
    with pytest.raises(CeremonyFailed):
        verify(passkey, allowed_credential_ids=[])


def test_an_authorisation_needs_no_user_handle(passkey):
    assert verify(passkey, changes={"user_handle": None})


def test_a_discovered_passkey_names_its_person(passkey):
    with pytest.raises(CeremonyFailed):
        verify(passkey, changes={"user_handle": None}, is_discovered=True)


def test_a_wrong_user_handle_is_refused_in_an_authorisation_too(passkey):
    with pytest.raises(CeremonyFailed):
        verify(passkey, changes={"user_handle": b"\x01" * 64})


def test_the_record_of_another_credential_is_refused(passkey):
    other = dataclasses.replace(record(passkey), credential_id=b"\x01" * 32)

    with pytest.raises(CeremonyFailed):
        verify(passkey, credential=other)


def test_the_key_of_another_credential_is_refused(passkey):
    other = SoftAuthenticator()
    keys = {"public_key_x": other.x, "public_key_y": other.y}

    with pytest.raises(CeremonyFailed):
        verify(passkey, credential=dataclasses.replace(record(passkey), **keys))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"origin": "https://evil.example"}, WrongSite),
        ({"members": {"crossOrigin": True}}, WrongSite),
        ({"rp_id": "evil.example"}, WrongSite),
        ({"flags": UP}, UserNotVerified),
        ({"flags": 0x04}, UserNotVerified),
    ],
)
def test_each_refusal_has_its_own_kind(changes, error, passkey):
    with pytest.raises(error):
        verify(passkey, changes=changes)


def test_a_reordered_client_data_is_unusable_on_chain(passkey):
    text = {"challenge": base64url(HASH), "type": "webauthn.get", "origin": ORIGIN}
    reordered = json.dumps(text, separators=(",", ":")).encode()

    with pytest.raises(UnusableKey, match="could never authorise"):
        verify(passkey, changes={"client_data_json": reordered})


def test_an_origin_is_compared_whole(passkey):
    passkey.origin = "https://wallet.example.org"

    assert verify(passkey, origin="https://wallet.example.org")
    with pytest.raises(WrongSite):
        verify(passkey, origin="https://wallet.example.org.evil.example")


@given(st.binary(max_size=100))
def test_base64url_reads_back_what_it_wrote(value):
    assert strict_json.decode_base64url(strict_json.encode_base64url(value)) == value


@given(st.binary(max_size=300))
def test_any_bytes_as_client_data_are_read_or_refused(value):
    with pytest.raises(CeremonyFailed):
        client_data.check(value, ceremony="webauthn.get", challenge=HASH, origin=ORIGIN)


@given(st.binary(max_size=300))
def test_any_bytes_as_an_attestation_object_are_read_or_refused(value):
    with contextlib.suppress(CeremonyFailed):
        parse(parse_attestation_object(value))


@given(st.integers(0, 10_000), st.integers(1, 255), st.booleans())
def test_no_changed_byte_of_an_answer_is_ever_accepted(place, change, is_client):
    passkey = SoftAuthenticator()
    assertion = passkey.get({"challenge": base64url(HASH)}, user_handle=None)
    name = "clientDataJSON" if is_client else "authenticatorData"
    value = bytearray(strict_json.decode_base64url(assertion["response"][name]))
    value[place % len(value)] ^= change
    assertion["response"][name] = base64url(bytes(value))

    with pytest.raises(CeremonyFailed):
        webauthn.verify_assertion(
            response=json.dumps(assertion),
            expected_challenge=HASH,
            credential=record(passkey),
            rp_id=RP_ID,
            origin=ORIGIN,
        )


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_json_as_a_response_is_refused(value):
    with pytest.raises(CeremonyFailed):
        webauthn.challenge_of(json.dumps(value))


@pytest.mark.parametrize(
    "data",
    [
        authenticator_data(flags=UP | UV) + b"\0",
        authenticator_data(flags=UP | UV | BS),
        authenticator_data(flags=UP | UV)[:-1],
    ],
    ids=["a-byte-after", "backed-up-but-not-eligible", "a-byte-missing"],
)
def test_authenticator_data_that_contradicts_itself_is_malformed(data):
    with pytest.raises(MalformedResponse):
        parse(data)


@pytest.mark.parametrize(
    "changes",
    [{"user_handle": b"\x01" * 65}, {"user_handle": b""}, {"signature": b"\x01" * 73}],
    ids=["handle-of-65", "empty-handle", "signature-of-73"],
)
def test_sizes_are_checked_before_any_cryptography(changes, passkey):
    answer = passkey.get({"challenge": base64url(HASH)}, **changes)

    with pytest.raises(MalformedResponse):
        webauthn.credential_id_of(json.dumps(answer))
