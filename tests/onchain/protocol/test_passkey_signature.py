"""Signatures of passkeys and of several owners."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from eth_account import Account
from eth_keys.datatypes import PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from safe_eth.safe.safe_signature import SafeSignature as SecondOpinion
from safe_eth.safe.safe_signature import SafeSignatureContract, SafeSignatureEOA

from onchain.protocol.deployments import SHARED_SIGNER
from onchain.protocol.errors import EncodingError
from onchain.protocol.p256 import ORDER
from onchain.protocol.passkey_signature import (
    SafeSignature,
    client_data_fields,
    client_data_json,
    dummy_passkey_signature,
    operation_signature,
    parse_der_signature,
    passkey_signature,
    safe_signatures,
)
from onchain.protocol.types import checksum_address, parse_hex, to_address, to_hex
from tests.onchain.protocol.vectors import EOA, NAMES, RECIPIENT, VECTORS

VALID_AFTER, VALID_UNTIL = 1_700_000_000, 1_800_000_000
CHALLENGE = bytes(range(32))
CHALLENGE_TEXT = urlsafe_b64encode(CHALLENGE).rstrip(b"=")
FIELDS = b'"origin":"http://localhost:8000","crossOrigin":false'
CLIENT_DATA = (
    b'{"type":"webauthn.get","challenge":"' + CHALLENGE_TEXT + b'",' + FIELDS + b"}"
)


def signature_of(vector) -> bytes:
    """The vector's assertion, encoded by us."""
    assertion = vector["assertion"]
    challenge = parse_hex(vector["hashes"][0]["safeOpHash"])
    r, s = parse_der_signature(parse_hex(assertion["der"]))
    return passkey_signature(
        authenticator_data=parse_hex(assertion["authenticatorData"]),
        client_data_fields=client_data_fields(
            assertion["clientDataJSON"].encode(), challenge
        ),
        r=r,
        s=s,
    )


def owners_of(vector, passkey_owner, digest) -> list[SafeSignature]:
    """The passkey, and the account beside it where the vector has one, signing."""
    signatures = [
        SafeSignature(
            owner=passkey_owner, signature=signature_of(vector), is_contract=True
        )
    ]
    if vector["extraOwner"]:
        key = PrivateKey(parse_hex(vector["eoaKey"]))
        signed = Account.unsafe_sign_hash(digest, key)
        signatures.append(
            SafeSignature(
                owner=to_address(vector["eoa"]),
                signature=bytes(signed.signature),
                is_contract=False,
            )
        )
    return signatures


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_passkey_signatures_are_those_of_abstractionkit(vector):
    assert to_hex(signature_of(vector)) == vector["wsig"]


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_whole_signatures_are_those_of_abstractionkit(vector):
    digest = parse_hex(vector["hashes"][0]["safeOpHash"])
    signatures = owners_of(vector, to_address(vector["signer"]), digest)

    plain = operation_signature(valid_after=0, valid_until=0, signatures=signatures)

    assert to_hex(plain) == vector["sigDeployed"]


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_timed_signatures_are_those_of_abstractionkit(vector):
    digest = parse_hex(vector["hashes"][0]["safeOpHash"])
    signatures = owners_of(vector, to_address(vector["signer"]), digest)

    timed = operation_signature(
        valid_after=VALID_AFTER, valid_until=VALID_UNTIL, signatures=signatures
    )

    assert to_hex(timed) == vector["sigDeployedTimed"]


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if "sigInit" in v], ids=lambda v: v["account"]
)
def test_first_signatures_name_the_shared_signer(vector):
    signatures = owners_of(vector, SHARED_SIGNER, b"")

    plain = operation_signature(valid_after=0, valid_until=0, signatures=signatures)

    assert to_hex(plain) == vector["sigInit"]


def test_client_data_fields_are_what_follows_the_challenge():
    assert client_data_fields(CLIENT_DATA, CHALLENGE) == FIELDS


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=1, max_size=200))
def test_client_data_is_read_back(challenge, fields):
    text = client_data_json(challenge=challenge, client_data_fields=fields)

    assert client_data_fields(text, challenge) == fields


@pytest.mark.parametrize(
    "text",
    [
        CLIENT_DATA.replace(b"webauthn.get", b"webauthn.create"),
        CLIENT_DATA.replace(CHALLENGE_TEXT, CHALLENGE_TEXT + b"="),
        CLIENT_DATA.replace(CHALLENGE_TEXT, CHALLENGE_TEXT[:-1] + b"9"),
        CLIENT_DATA.replace(CHALLENGE_TEXT, urlsafe_b64encode(bytes(32)).rstrip(b"=")),
        b'{"challenge":"'
        + CHALLENGE_TEXT
        + b'","type":"webauthn.get",'
        + FIELDS
        + b"}",
        b'{"type":"webauthn.get",'
        + FIELDS
        + b',"challenge":"'
        + CHALLENGE_TEXT
        + b'"}',
        CLIENT_DATA.replace(b'{"type"', b'{ "type"'),
        b"\xef\xbb\xbf" + CLIENT_DATA,
        CLIENT_DATA + b" ",
        CLIENT_DATA + b"\n",
        CLIENT_DATA[:-1],
        CLIENT_DATA.replace(b"," + FIELDS, b""),
        CLIENT_DATA.replace(FIELDS, b""),
        CLIENT_DATA.replace(FIELDS + b"}", b""),
        b"",
    ],
)
def test_client_data_that_the_chain_cannot_rebuild_is_refused(text):
    with pytest.raises(EncodingError):
        client_data_fields(text, CHALLENGE)


@pytest.mark.parametrize("width", [0, 31, 33, 64])
def test_only_32_bytes_are_authorised(width):
    with pytest.raises(EncodingError):
        client_data_fields(CLIENT_DATA, bytes(width))


@given(st.integers(1, ORDER - 1), st.integers(1, ORDER - 1))
def test_der_is_read_back(r, s):
    assert parse_der_signature(encode_dss_signature(r, s)) == (r, s)


@pytest.mark.parametrize(
    ("der", "expected"),
    [
        # A leading zero where the top bit is set: 33 bytes.
        (
            "3045022100" + "80" + "00" * 31 + "0220" + "01" + "00" * 31,
            (2**255, 2**248),
        ),
        ("3006020101020101", (1, 1)),
        (f"30260220{'01' * 32}020200ff", (int("01" * 32, 16), 255)),
        # High s.
        (f"3026020101022100{ORDER - 1:064x}", (1, ORDER - 1)),
    ],
    ids=["33 bytes", "short", "mixed", "high s"],
)
def test_der_is_read(der, expected):
    assert parse_der_signature(bytes.fromhex(der)) == expected


@pytest.mark.parametrize(
    "der",
    [
        "",
        "30",
        "3000",
        "3003020101",
        "300602010102010100",  # trailing byte outside
        "300702010102010100",  # trailing byte inside
        "3009020101020101020101",  # a third integer
        "3006020180020101",  # negative r
        "3006020101020180",  # negative s
        "300702020001020101",  # r not minimal
        "300702010102020001",  # s not minimal
        "3006020100020101",  # r is zero
        "3006020101020100",  # s is zero
        "30050200020101",  # empty integer
        "308106020101020101",  # length not minimal
        "30820006020101020101",
        "3080020101020101" + "0000",  # indefinite length
        "3106020101020101",  # a set
        "3006030101020101",  # a bit string
        "3006020101",  # cut short
        f"3026022100{ORDER:064x}020101",  # r is the order
        f"3026020101022100{ORDER:064x}",  # s is the order
        "3027022200" + "80" + "00" * 32 + "020101",  # 33 significant bytes
        "00" * 64,
        "04" * 64,
    ],
)
def test_what_is_not_strict_der_is_refused(der):
    with pytest.raises(EncodingError):
        parse_der_signature(bytes.fromhex(der))


@given(st.binary(max_size=80))
def test_any_bytes_are_der_or_refused(data):
    try:
        r, s = parse_der_signature(data)
    except EncodingError:
        return
    assert encode_dss_signature(r, s) == data


@pytest.mark.parametrize("name", ["r", "s"])
@pytest.mark.parametrize("value", [-1, 2**256])
def test_r_and_s_outside_uint256_are_refused(name, value):
    numbers = {"r": 1, "s": 1, name: value}

    with pytest.raises(EncodingError):
        passkey_signature(authenticator_data=b"", client_data_fields=b"", **numbers)


def test_a_dummy_signature_is_as_long_as_one_of_most_browsers():
    real = passkey_signature(
        authenticator_data=b"\xff" * 37,
        client_data_fields=FIELDS,
        r=ORDER - 1,
        s=ORDER - 1,
    )

    dummy = dummy_passkey_signature(origin="http://localhost:8000")

    assert len(dummy) == len(real)
    assert len(dummy) - dummy.count(0) >= len(real) - real.count(0)


def account_signature(owner=EOA, v=27) -> SafeSignature:
    return SafeSignature(
        owner=owner, signature=b"\x11" * 64 + bytes([v]), is_contract=False
    )


def contract_signature(owner, signature=b"\xaa\xbb\xcc") -> SafeSignature:
    return SafeSignature(owner=owner, signature=signature, is_contract=True)


def test_safe_eth_py_reads_mixed_signatures_as_they_were_meant():
    digest = bytes(range(32))
    key = PrivateKey(b"\x11" * 32)
    signed = Account.unsafe_sign_hash(digest, key)
    signatures = [
        contract_signature(to_address("0x" + "ff" * 20), b"\x01" * 5),
        SafeSignature(owner=EOA, signature=bytes(signed.signature), is_contract=False),
        contract_signature(to_address("0x" + "01" * 20), b""),
    ]

    read = SecondOpinion.parse_signature(safe_signatures(signatures), digest)

    assert [(type(item), item.owner) for item in read] == [
        (SafeSignatureContract, checksum_address(to_address("0x" + "01" * 20))),
        (SafeSignatureEOA, checksum_address(EOA)),
        (SafeSignatureContract, checksum_address(to_address("0x" + "ff" * 20))),
    ]
    assert [bytes(read[0].contract_signature), bytes(read[2].contract_signature)] == [
        b"",
        b"\x01" * 5,
    ]


def test_the_order_of_signing_does_not_matter():
    signatures = [account_signature(), contract_signature(RECIPIENT)]

    assert safe_signatures(signatures) == safe_signatures(signatures[::-1])


def test_contracts_data_follows_the_fixed_part_without_padding():
    first, second = to_address("0x" + "01" * 20), to_address("0x" + "02" * 20)

    data = safe_signatures([contract_signature(second), contract_signature(first)])

    assert data == b"".join(
        [
            bytes(12) + first + (130).to_bytes(32, "big") + b"\x00",
            bytes(12) + second + (130 + 32 + 3).to_bytes(32, "big") + b"\x00",
            (3).to_bytes(32, "big") + b"\xaa\xbb\xcc",
            (3).to_bytes(32, "big") + b"\xaa\xbb\xcc",
        ]
    )


def test_no_signatures_are_no_bytes():
    assert safe_signatures([]) == b""
    assert operation_signature(valid_after=0, valid_until=0, signatures=[]) == bytes(12)


def test_an_owner_signs_once():
    with pytest.raises(EncodingError, match="twice"):
        safe_signatures([account_signature(), account_signature(v=28)])


@pytest.mark.parametrize("v", [27, 28])
def test_an_account_signs_with_v_27_or_28(v):
    assert safe_signatures([account_signature(v=v)])[-1] == v


@pytest.mark.parametrize("v", [0, 1, 26, 29, 31, 32])
def test_an_account_signs_with_no_other_v(v):
    with pytest.raises(EncodingError):
        safe_signatures([account_signature(v=v)])


@pytest.mark.parametrize("length", [0, 64, 66])
def test_an_account_signature_has_65_bytes(length):
    item = SafeSignature(owner=EOA, signature=b"\x1b" * length, is_contract=False)

    with pytest.raises(EncodingError):
        safe_signatures([item])


def test_an_owner_of_another_width_is_refused():
    with pytest.raises(EncodingError):
        safe_signatures([contract_signature(bytes(32))])


@pytest.mark.parametrize("name", ["valid_after", "valid_until"])
@pytest.mark.parametrize("value", [-1, 2**48])
def test_times_outside_uint48_are_refused(name, value):
    times = {"valid_after": 0, "valid_until": 0, name: value}

    with pytest.raises(EncodingError):
        operation_signature(**times, signatures=[account_signature()])


def test_times_stand_before_the_signatures():
    signature = operation_signature(
        valid_after=1, valid_until=2**48 - 1, signatures=[account_signature()]
    )

    assert signature == bytes(5) + b"\x01" + b"\xff" * 6 + b"\x11" * 64 + b"\x1b"
