"""Answers that differ from a plain one as those of real browsers and providers do.

A variant takes the passkey and the options, as a forgery does, but must be accepted.
``PASSKEYS`` are providers instead: each registers and then signs in.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tests.accounts.forgeries import (
    ORDER,
    Forgery,
    answer,
    client,
    inside,
    members,
    outside,
    piece,
    put,
    sized,
    text,
)
from tests.soft_authenticator import (
    AT,
    BE,
    DEVICE_BOUND,
    SYNCED,
    UP,
    UV,
    base64url,
    from_base64url,
)


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


BOTH: dict[str, Forgery] = {
    "as it is": piece(),
    "without crossOrigin": piece(members={}),
    "extra members": piece(members={"crossOrigin": False, "a": "b", "c": {"d": [1]}}),
    "an extra member with escapes": piece(members={"crossOrigin": False, "a": '"\n\\'}),
    "members of an Android app": piece(members={"androidPackageName": "org.example"}),
    "Chrome's grease": piece(
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
    "unknown extension results": outside(
        put(clientExtensionResults={"zzz": {"a": [1, None, {}]}})
    ),
    "results of the PRF extension": outside(
        put(clientExtensionResults={"prf": {"results": {"first": "AAAA"}}})
    ),
    "unknown extensions of the authenticator": piece(
        extensions=cbor2.dumps({"zzz": [1, {"a": b""}]})
    ),
    "an empty map of extensions": piece(extensions=cbor2.dumps({})),
    "the attachment of another device": outside(
        put(authenticatorAttachment="cross-platform")
    ),
    "an attachment that is null": outside(put(authenticatorAttachment=None)),
    "an attachment that is a number": outside(put(authenticatorAttachment=7)),
    "crossOrigin before the origin": members(
        lambda value: {
            name: value[name] for name in ("type", "challenge", "crossOrigin", "origin")
        }
    ),
    "an escaped letter in an extra member": client(
        lambda real: real[:-1] + b',"a":"\\u00e9"}'
    ),
    "white space before an extra member": client(lambda real: real[:-1] + b', "a":1}'),
    "members in another order": outside(lambda value: dict(reversed(value.items()))),
    "unknown members in the response": inside(put(zzz={"a": 1})),
    "no white space in the JSON": text(
        lambda value: json.dumps(json.loads(value), separators=(",", ":"))
    ),
    "white space around the JSON": text(lambda value: f"\n {value}\t"),
    "unknown members": outside(put(zzz=[{}])),
    "white space in the JSON": text(lambda value: value.replace(",", " ,\n")),
    "the largest counter": piece(sign_count=2**32 - 1),
}

REGISTRATION: dict[str, Forgery] = {
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
    "a key with its members in another order": lambda passkey, options, _: (
        passkey.create(options, cose_key=dict(reversed(passkey.cose_key().items())))
    ),
    "an unknown member in the attestation object": lambda passkey, options, _: (
        passkey.create(
            options,
            attestation_object=cbor2.dumps(
                {
                    "fmt": "none",
                    "attStmt": {},
                    "authData": pieces_of(passkey.create(options))[1],
                    "epAtt": False,
                }
            ),
        )
    ),
    "an empty list of transports": inside(put(transports=[])),
    "no transports": inside(lambda value: value.pop("transports") and None),
    "unknown transports": inside(put(transports=["internal", "telepathy", 7, None])),
    "the convenience members of Level 3": inside(
        put(publicKeyAlgorithm=-7, publicKey="AAAA", authenticatorData="AAAA")
    ),
}


def with_s(choose: Callable[[int, int], int], sign_count: int) -> Forgery:
    """Take one of the two s that hold for the same r."""

    def make(passkey, options, _):
        made = passkey.get(options, sign_count=sign_count)
        r, s = utils.decode_dss_signature(from_base64url(made["response"]["signature"]))
        chosen = utils.encode_dss_signature(r, choose(s, ORDER - s))
        made["response"]["signature"] = base64url(chosen)
        return made

    return make


def of_length(fits: Callable[[int], bool]) -> Forgery:
    """Count up until the signature has such a length."""

    def make(passkey, options, _):
        for count in range(10_000):
            made = passkey.get(options, sign_count=count)
            if fits(len(from_base64url(made["response"]["signature"]))):
                return made
        raise AssertionError("no such signature")

    return make


def extended(size: int) -> Forgery:
    """Return authenticator data of that many bytes, by an unknown extension."""
    return piece(extensions=cbor2.dumps({"a": b"\0" * (size - 37 - 5)}))


ASSERTION: dict[str, Forgery] = {
    "an s in the lower half": with_s(min, 7),
    "an s in the upper half": with_s(max, 8),
    "a signature of 72 bytes": of_length(lambda length: length == 72),
    "a signature of fewer than 70 bytes": of_length(lambda length: length < 70),
    "authenticator data of 256 bytes": extended(256),
    "an assertion not backed up": piece(flags=UP | UV | BE),
    "an assertion of a key bound to the device": piece(flags=UP | UV),
}


def with_small(coordinate: str) -> ec.EllipticCurvePrivateKey:
    """Return a key whose coordinate needs fewer than 32 bytes."""
    for number in range(1, 10_000):
        key = ec.derive_private_key(number, ec.SECP256R1())
        if getattr(key.public_key().public_numbers(), coordinate) < 2**248:
            return key
    raise AssertionError("no such key")


PASSKEYS: dict[str, dict[str, Any]] = {
    "an id of 16 bytes": {"credential_id": b"\x07" * 16},
    "an id of 20 bytes": {"credential_id": b"\x07" * 20},
    "an id of 64 bytes": {"credential_id": b"\x07" * 64},
    "an id of 255 bytes": {"credential_id": b"\x07" * 255},
    "an id of 256 bytes": {"credential_id": b"\x07" * 256},
    "an id of 1,022 bytes": {"credential_id": b"\x07" * 1022},
    "an id of 1,023 bytes": {"credential_id": b"\x07" * 1023},
    "an id of zeros": {"credential_id": bytes(32)},
    "a provider with a name": {
        "aaguid": uuid.UUID("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4").bytes
    },
    "an AAGUID that nobody has": {"aaguid": b"\xff" * 16},
    "a security key that counts": {
        "flags": DEVICE_BOUND,
        "sign_count": 41,
        "transports": ["nfc", "usb"],
    },
    "a key whose x begins with a zero": {"private_key": with_small("x")},
    "a key whose y begins with a zero": {"private_key": with_small("y")},
}
