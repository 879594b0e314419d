"""R1: what real browsers and authenticators send is accepted."""

from __future__ import annotations

import datetime
import hashlib
import uuid

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from accounts.models import Credential, User
from tests.accounts.forgeries import (
    answer,
    client,
    inside,
    outside,
    piece,
    put,
    sized,
    text,
)
from tests.accounts.visitor import Visitor
from tests.soft_authenticator import (
    AT,
    BE,
    SYNCED,
    UP,
    UV,
    SoftAuthenticator,
    base64url,
    from_base64url,
)

pytestmark = [pytest.mark.django_db, pytest.mark.services]


def certified(passkey, options, _):
    """Return a packed attestation by a certificate that nobody knows."""
    maker = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Nobody")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(maker.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(maker, hashes.SHA256())
    )
    real = passkey.create(options)
    client_data, data = pieces_of(real)
    signed = data + hashlib.sha256(client_data).digest()
    statement = {
        "alg": -7,
        "sig": maker.sign(signed, ec.ECDSA(hashes.SHA256())),
        "x5c": [certificate.public_bytes(serialization.Encoding.DER)],
    }
    return passkey.create(options, fmt="packed", statement=statement)


def pieces_of(credential):
    response = credential["response"]
    attestation = cbor2.loads(from_base64url(response["attestationObject"]))
    return from_base64url(response["clientDataJSON"]), attestation["authData"]


BOTH = {
    "as it is": piece(),
    "without crossOrigin": piece(members={}),
    "extra members": piece(members={"crossOrigin": False, "a": "b", "c": {"d": [1]}}),
    "an extra member with escapes": piece(members={"crossOrigin": False, "a": '"\n\\'}),
    "members of an Android app": piece(members={"androidPackageName": "org.example"}),
    "Chrome's reminder": piece(
        members={
            "crossOrigin": False,
            "other_keys_can_be_added_here": "do not compare clientDataJSON against a "
            "template. See https://goo.gl/yabPex",
        }
    ),
    "a token binding": piece(
        members={"crossOrigin": False, "tokenBinding": {"status": "supported"}}
    ),
    "letters beyond ASCII in an extra member": piece(members={"a": "ключ"}),
    "client data of 1,024 bytes": client(lambda real: sized(real, 1024)),
    "reserved flags": lambda passkey, options, kind: answer(
        passkey,
        options,
        kind,
        flags=SYNCED | 0x22 | (AT if kind == "registration" else 0),
    ),
    "extensions of the authenticator": piece(
        extensions=cbor2.dumps({"credProtect": 2, "hmac-secret": True})
    ),
    "an attachment nobody knows": outside(put(authenticatorAttachment="implanted")),
    "no attachment": outside(
        lambda value: value.pop("authenticatorAttachment") and None
    ),
    "no extension results": outside(
        lambda value: value.pop("clientExtensionResults") or None
    ),
    "extension results": outside(
        put(clientExtensionResults={"credProps": {"rk": True}})
    ),
    "unknown members": outside(put(zzz=[{}])),
    "white space in the JSON": text(lambda value: value.replace(",", " ,\n")),
    "the largest counter": piece(sign_count=2**32 - 1),
}

REGISTRATION = {
    "bound to the device": piece(flags=UP | UV | AT),
    "synced later": piece(flags=UP | UV | BE | AT),
    "packed self attestation": piece(fmt="packed", statement="self"),
    "packed by an unknown certificate": certified,
    "another order in the attestation object": lambda passkey, options, _: (
        passkey.create(
            options,
            attestation_object=cbor2.dumps(
                {
                    "authData": pieces_of(passkey.create(options))[1],
                    "fmt": "none",
                    "attStmt": {},
                }
            ),
        )
    ),
    "no transports": inside(lambda value: value.pop("transports") and None),
    "unknown transports": inside(put(transports=["internal", "telepathy", 7, None])),
    "the convenience members of Level 3": inside(
        put(publicKeyAlgorithm=-7, publicKey="AAAA", authenticatorData="AAAA")
    ),
}


def table(*tables):
    return pytest.mark.parametrize(
        "make",
        [
            pytest.param(make, id=name.replace(" ", "-"))
            for each in tables
            for name, make in each.items()
        ],
    )


@table(BOTH, REGISTRATION)
def test_a_registration_is_accepted(make, visitor, passkey):
    options = visitor.begin("registration")

    response = visitor.finish("registration", make(passkey, options, "registration"))

    assert response.status_code == 303, response.content
    user = User.objects.get()
    credential = user.credentials.get()
    assert response["Location"] == f"/opened/{credential.pk}"
    assert credential.credential_id == passkey.credential_id
    assert (credential.public_key_x, credential.public_key_y) == (passkey.x, passkey.y)
    assert visitor.user_pk() == user.pk


@table(BOTH)
def test_an_assertion_is_accepted(make, visitor, alice):
    passkey, user = alice
    options = visitor.begin("authentication")

    response = visitor.finish(
        "authentication", make(passkey, options, "authentication")
    )

    assert response.status_code == 303, response.content
    assert visitor.user_pk() == user.pk


@pytest.mark.parametrize("size", [16, 64, 1023])
def test_ids_of_every_length_are_accepted(size, visitor):
    passkey = SoftAuthenticator(credential_id=b"\x07" * size)

    assert visitor.register(passkey).status_code == 303
    assert Visitor().sign_in(passkey).status_code == 303


def test_a_high_s_is_accepted(visitor, alice):
    passkey, user = alice
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    options = visitor.begin("authentication")
    assertion = passkey.get(options)
    r, s = utils.decode_dss_signature(
        from_base64url(assertion["response"]["signature"])
    )
    high = utils.encode_dss_signature(r, max(s, order - s))
    assertion["response"]["signature"] = base64url(high)

    response = visitor.finish("authentication", assertion)

    assert response.status_code == 303
    assert visitor.user_pk() == user.pk


def test_only_known_transports_are_stored(visitor):
    passkey = SoftAuthenticator(transports=["usb", "x" * 999, "nfc", "usb"])

    visitor.register(passkey)

    assert Credential.objects.get().transports == ["nfc", "usb"]


def test_what_the_passkey_says_of_itself_is_stored(visitor):
    aaguid = uuid.uuid4()
    passkey = SoftAuthenticator(aaguid=aaguid.bytes, flags=UP | UV | BE, sign_count=7)

    visitor.register(passkey)

    credential = Credential.objects.get()
    assert credential.aaguid == aaguid
    assert credential.sign_count == 7
    assert (credential.backup_eligible, credential.backup_state) == (True, False)
    assert credential.last_used_at is None


def test_a_sign_in_refreshes_what_may_change(visitor, alice):
    passkey, user = alice
    passkey.flags, passkey.sign_count = UP | UV | BE, 9

    visitor.sign_in(passkey)

    credential = user.credentials.get()
    assert (credential.sign_count, credential.backup_state) == (9, False)
    assert credential.last_used_at is not None
