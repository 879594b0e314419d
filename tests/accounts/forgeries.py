"""Answers that differ from a real one in one place, and the words for each place.

A forgery takes the passkey and the options and returns what is posted as ``credential``,
an object or text. ``CLIENT_DATA`` and ``ENVELOPE`` hold for both kinds of ceremony.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from tests.soft_authenticator import (
    AT,
    BE,
    BS,
    ED,
    SYNCED,
    UP,
    UV,
    attestation_object,
    attested_data,
    authenticator_data,
    base64url,
    client_data,
    from_base64url,
)

Forgery = Callable[[Any, dict[str, Any], str], object]

CEREMONIES = {"registration": "webauthn.create", "authentication": "webauthn.get"}


def answer(passkey, options, kind, **changes):
    make = passkey.create if kind == "registration" else passkey.get
    return make(options, **changes)


def flipped(coordinate: bytes) -> bytes:
    """Return other bytes of the same length, whatever these are."""
    return bytes([coordinate[0] ^ 1]) + coordinate[1:]


def piece(**changes) -> Forgery:
    """Replace pieces before the authenticator signs."""
    return lambda passkey, options, ceremony: answer(
        passkey, options, ceremony, **changes
    )


def client(edit: Callable[[bytes], bytes]) -> Forgery:
    """Replace the bytes of clientDataJSON, properly signed."""

    def forge(passkey, options, ceremony):
        real = client_data(
            ceremony=CEREMONIES[ceremony],
            challenge=from_base64url(options["challenge"]),
        )
        return answer(passkey, options, ceremony, client_data_json=edit(real))

    return forge


def members(edit: Callable[[dict[str, Any]], object]) -> Forgery:
    """Replace members of clientDataJSON, properly signed and serialised."""

    def change(real: bytes) -> bytes:
        value = json.loads(real)
        return json.dumps(edit(value) or value, separators=(",", ":")).encode()

    return client(change)


def outside(edit: Callable[[dict[str, Any]], object]) -> Forgery:
    """Replace members of the response JSON."""

    def forge(passkey, options, ceremony):
        value = answer(passkey, options, ceremony)
        edited = edit(value)
        return value if edited is None else edited

    return forge


def inside(edit: Callable[[dict[str, Any]], object]) -> Forgery:
    """Replace members of ``response`` in the response JSON."""
    return outside(lambda value: edit(value["response"]) and None)


def text(edit: Callable[[str], str]) -> Forgery:
    """Replace the posted text."""
    return lambda *arguments: edit(json.dumps(answer(*arguments)))


def literal(value: str) -> Forgery:
    return lambda *_: value


def pad(value: str) -> str:
    return value + "=" * (-len(value) % 4) if len(value) % 4 else value + "===="


def trailing_bits(value: str) -> str:
    """Return text that decodes leniently to the same bytes (64 bytes leave 4 bits)."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return value[:-1] + alphabet[alphabet.index(value[-1]) + 1]


def standard(value: str) -> str:
    """Return the other alphabet, with at least one of its characters."""
    changed = value.replace("-", "+").replace("_", "/")
    return changed if changed != value else value + "+"


def put(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda target: target.update(values)


def drop(name: str) -> Callable[[dict[str, Any]], object]:
    # Nothing is returned: what an edit returns would be posted instead.
    return lambda target: target.__delitem__(name)


def challenge(edit: Callable[[str], str]) -> Forgery:
    return members(lambda value: value.update(challenge=edit(value["challenge"])))


def replace(old: bytes, new: bytes) -> Forgery:
    return client(lambda real: real.replace(old, new, 1))


def sized(real: bytes, size: int) -> bytes:
    """Return client data of exactly that many bytes, in the right form."""
    head = real[:-1] + b',"a":"'
    return head + b"a" * (size - len(head) - 2) + b'"}'


def reordered(*names: str) -> Forgery:
    def order(value):
        return {name: value[name] for name in names} | value

    return members(order)


CLIENT_DATA: dict[str, Forgery] = {
    "another challenge": piece(challenge=b"\x07" * 64),
    "a challenge of 32 bytes": piece(challenge=b"\x07" * 32),
    "an empty challenge": piece(challenge=b""),
    "a padded challenge": challenge(pad),
    "a challenge in another alphabet": challenge(standard),
    "a challenge with trailing bits": challenge(trailing_bits),
    "a challenge with junk after it": challenge(lambda value: value + "!!!!"),
    "a challenge with a space": challenge(lambda value: f" {value}"),
    "a challenge with a line break": challenge(lambda value: f"{value}\n"),
    "a challenge that is a number": members(put(challenge=5)),
    "a challenge that is a list": members(put(challenge=["a"])),
    "a challenge that is null": members(put(challenge=None)),
    "no challenge": members(lambda value: value.pop("challenge") and None),
    "another type": piece(ceremony="payment.get"),
    "the other ceremony's type": lambda passkey, options, ceremony: answer(
        passkey,
        options,
        ceremony,
        ceremony=CEREMONIES[
            "authentication" if ceremony == "registration" else "registration"
        ],
    ),
    "a type that is a list": members(put(type=["webauthn.get"])),
    "no type": members(drop("type")),
    "another origin": piece(origin="https://evil.example"),
    "the origin with a slash": piece(origin="http://localhost:8000/"),
    "the origin on another port": piece(origin="http://localhost:8001"),
    "the origin with https": piece(origin="https://localhost:8000"),
    "a subdomain": piece(origin="http://a.localhost:8000"),
    "the origin in capitals": piece(origin="HTTP://LOCALHOST:8000"),
    "an app's origin": piece(origin="android:apk-key-hash:abc"),
    "the origin null": piece(origin="null"),
    "an origin that is a list": members(put(origin=["http://localhost:8000"])),
    "no origin": members(drop("origin")),
    "a cross-origin frame": members(put(crossOrigin=True)),
    "crossOrigin as text": members(put(crossOrigin="false")),
    "crossOrigin as a number": members(put(crossOrigin=0)),
    "crossOrigin null": members(put(crossOrigin=None)),
    "a topOrigin": members(put(topOrigin="https://evil.example")),
    "our own topOrigin": members(put(topOrigin="http://localhost:8000")),
    "the challenge before the type": reordered("challenge", "type", "origin"),
    "the origin between type and challenge": reordered("type", "origin", "challenge"),
    "another member first": members(lambda value: {"androidPackageName": "a"} | value),
    "white space after a colon": replace(b'"type":', b'"type": '),
    "white space before the first member": replace(b'{"type', b'{ "type'),
    "a leading line break": client(lambda real: b"\n" + real),
    "a trailing line break": client(lambda real: real + b"\n"),
    "trailing junk": client(lambda real: real + b"x"),
    "a second object": client(lambda real: real + b"{}"),
    "the type escaped": replace(b'"webauthn.', b'"webauthn\\u002e'),
    "a member's name escaped": replace(b'"type"', b'"t\\u0079pe"'),
    "the origin escaped": replace(b"http://", b"http:\\/\\/"),
    "a byte order mark": client(lambda real: b"\xef\xbb\xbf" + real),
    "UTF-16": client(lambda real: real.decode().encode("utf-16")),
    "UTF-16 without a mark": client(lambda real: real.decode().encode("utf-16-le")),
    "UTF-32": client(lambda real: real.decode().encode("utf-32-be")),
    "Latin-1": replace(b'"crossOrigin"', b'"\xe9":1,"crossOrigin"'),
    "the type twice": replace(b'"origin"', b'"type":"webauthn.get","origin"'),
    "the origin twice": replace(
        b'"crossOrigin"', b'"origin":"http://localhost:8000","crossOrigin"'
    ),
    "another origin, then ours": replace(
        b'"origin"', b'"origin":"https://evil.example","origin"'
    ),
    "the challenge twice": replace(b'"origin"', b'"challenge":"AAAA","origin"'),
    "an unknown member twice": replace(b'"crossOrigin"', b'"a":1,"a":1,"crossOrigin"'),
    "NaN": replace(b'"crossOrigin"', b'"a":NaN,"crossOrigin"'),
    "a NUL byte": replace(b'"crossOrigin"', b'"a":"\x00","crossOrigin"'),
    "a list": client(lambda real: b"[" + real + b"]"),
    "a string": client(lambda real: json.dumps(real.decode()).encode()),
    "null": client(lambda real: b"null"),
    "empty client data": client(lambda real: b""),
    "no JSON": client(lambda real: b"webauthn"),
    "truncated JSON": client(lambda real: real[:-1]),
    "client data of 1,025 bytes": client(lambda real: sized(real, 1025)),
}

ENVELOPE: dict[str, Forgery] = {
    "an empty field": literal(""),
    "not JSON": literal("passkey"),
    "a number": literal("12"),
    "a list instead of an object": literal("[]"),
    "null instead of an object": literal("null"),
    "NaN instead of an object": literal("NaN"),
    "an empty object": literal("{}"),
    "a string instead of an object": literal('"{}"'),
    "nesting without end": literal("[" * 30_000),
    "objects without end": literal('{"a":' * 6_000),
    "a number of 5,000 digits": literal('{"id":' + "9" * 5_000 + "}"),
    "a NUL in the field": text(lambda value: value + "\0"),
    "an escaped NUL in the id": outside(
        lambda value: value.update(id="\0" + value["id"])
    ),
    "a lone surrogate in the id": text(
        lambda value: value.replace('"id": "', '"id": "\\ud800')
    ),
    "a field of 33,000 characters": text(lambda value: value + " " * 33_000),
    "an id twice": text(lambda value: value.replace('{"id"', '{"id": "AAAA", "id"')),
    "a trailing comma": text(lambda value: value[:-1] + ",}"),
    "another type of credential": outside(put(type="password")),
    "a credential's type in a list": outside(put(type=["public-key"])),
    "no type of credential": outside(drop("type")),
    "no id": outside(drop("id")),
    "no rawId": outside(drop("rawId")),
    "an id that is a number": outside(put(id=1, rawId=1)),
    "another id outside": outside(put(id=base64url(b"\x01" * 32))),
    "another rawId": outside(put(rawId=base64url(b"\x01" * 32))),
    "a padded rawId": outside(lambda value: value.update(rawId=value["rawId"] + "=")),
    "padded ids": outside(
        lambda value: value.update(id=value["id"] + "=", rawId=value["id"] + "=")
    ),
    "ids in another alphabet": outside(
        lambda value: value.update(
            id=standard(value["id"]), rawId=standard(value["id"])
        )
    ),
    "ids with trailing bits": outside(
        lambda value: value.update(
            id=trailing_bits(value["id"]), rawId=trailing_bits(value["id"])
        )
    ),
    "a short id": piece(credential_id=b"\x01" * 15, attested_id=b"\x01" * 15),
    "an empty id": piece(credential_id=b"", attested_id=b""),
    "an id of 1,024 bytes": piece(
        credential_id=b"\x01" * 1024, attested_id=b"\x01" * 1024
    ),
    "extension results in a list": outside(put(clientExtensionResults=[])),
    "extension results as text": outside(put(clientExtensionResults="{}")),
    "no response": outside(drop("response")),
    "a response in a list": outside(
        lambda value: value.update(response=[value["response"]])
    ),
    "a response as text": outside(
        lambda value: value.update(response=json.dumps(value["response"]))
    ),
    "no client data": inside(drop("clientDataJSON")),
    "client data as an object": inside(put(clientDataJSON={"type": "webauthn.get"})),
    "client data null": inside(put(clientDataJSON=None)),
    "client data not in base64url": inside(put(clientDataJSON="{}")),
    "padded client data": inside(
        lambda value: value.update(clientDataJSON=pad(value["clientDataJSON"]))
    ),
    "client data with white space": inside(
        lambda value: value.update(clientDataJSON=" " + value["clientDataJSON"])
    ),
}


def key(**changes) -> Forgery:
    return lambda passkey, options, _: passkey.create(
        options, cose_key=passkey.cose_key(**changes)
    )


def key_edit(edit: Callable[[dict[Any, Any]], object]) -> Forgery:
    def forge(passkey, options, _):
        value = passkey.cose_key()
        edited = edit(value)
        return passkey.create(options, cose_key=value if edited is None else edited)

    return forge


def attestation(edit: Callable[[bytes], bytes]) -> Forgery:
    """Replace the bytes of the attestation object."""

    def change(value):
        real = from_base64url(value["attestationObject"])
        value["attestationObject"] = base64url(edit(real))

    return inside(change)


def whole(edit: Callable[[dict[str, Any]], object]) -> Forgery:
    """Replace members of the attestation object."""

    def change(real: bytes) -> bytes:
        value = cbor2.loads(real)
        edited = edit(value)
        return cbor2.dumps(value if edited is None else edited)

    return attestation(change)


NAMED_FLAGS = {"UP": UP, "UV": UV, "BE": BE, "BS": BS}


def impossible_flags(where: str, always: int) -> dict[str, Forgery]:
    """Return every combination of UP, UV, BE and BS that must be refused.

    Somebody must be present and verified, and what is backed up must be eligible.
    """
    table = {}
    for bits in itertools.product((False, True), repeat=4):
        up, uv, be, bs = bits
        if not (up and uv) or (bs and not be):
            names = [name for name, bit in zip(NAMED_FLAGS, bits, strict=True) if bit]
            flags = sum(NAMED_FLAGS[name] for name in names) | always
            title = f"{where} with the flags {' '.join(names) or 'all cleared'}"
            table[title] = piece(flags=flags)
    return table


def other_statement(passkey, options) -> dict[str, Any]:
    """Return a packed statement over the right bytes, signed by somebody else."""
    other = dataclasses.replace(
        passkey, private_key=ec.generate_private_key(ec.SECP256R1())
    )
    real = passkey.create(options)["response"]
    data = cbor2.loads(from_base64url(real["attestationObject"]))["authData"]
    client_hash = hashlib.sha256(from_base64url(real["clientDataJSON"])).digest()
    return {"alg": -7, "sig": other.sign(data + client_hash)}


def data_without_key(passkey) -> bytes:
    return attested_data(credential_id=passkey.credential_id, key=b"")


REGISTRATION: dict[str, Forgery] = {
    **impossible_flags("a registration", AT),
    "another relying party": piece(rp_id="evil.example"),
    "a parent relying party": piece(rp_id="host"),
    "no attested data": piece(flags=SYNCED, attested=b""),
    "attested data without its flag": piece(flags=SYNCED),
    "the flag without attested data": piece(attested=b""),
    "an extensions flag without extensions": piece(flags=SYNCED | AT | ED),
    "extensions in a list": piece(extensions=cbor2.dumps([1])),
    "extensions as text": piece(extensions=cbor2.dumps("a")),
    "bytes after the extensions": piece(extensions=cbor2.dumps({"a": 1}) + b"\0"),
    "bytes after the key": piece(tail=b"\0"),
    "data of 36 bytes": piece(data=b"\0" * 36),
    "empty data": piece(data=b""),
    "another id inside": piece(attested_id=b"\x02" * 32),
    "a longer id inside": lambda passkey, options, _: passkey.create(
        options, attested_id=passkey.credential_id + b"\0"
    ),
    "the id's length beyond the data": lambda passkey, options, _: passkey.create(
        options, attested=b"\0" * 16 + b"\xff\xff" + passkey.credential_id
    ),
    "attested data of 17 bytes": piece(attested=b"\0" * 17),
    "attested data without an id": lambda passkey, options, _: passkey.create(
        options,
        attested=attested_data(credential_id=b"", key=cbor2.dumps(passkey.cose_key())),
    ),
    "the id of the envelope cut inside": lambda passkey, options, _: passkey.create(
        options, attested_id=passkey.credential_id[:-1]
    ),
    "a length of the id in the wrong order": lambda passkey, options, _: passkey.create(
        options,
        attested=b"\0" * 16
        + b"\x20\0"
        + passkey.credential_id
        + cbor2.dumps(passkey.cose_key()),
    ),
    "two keys inside": lambda passkey, options, _: passkey.create(
        options, cose_key=cbor2.dumps(passkey.cose_key()) * 2
    ),
    "no key inside": lambda passkey, options, _: passkey.create(
        options, attested=data_without_key(passkey)
    ),
    "EdDSA": key_edit(lambda _: {1: 1, 3: -8, -1: 6, -2: b"\x01" * 32}),
    "RS256": key_edit(lambda _: {1: 3, 3: -257, -1: b"\x01" * 256, -2: b"\x01\0\x01"}),
    "ES256 on another curve": key(crv=2),
    "secp256k1": key(crv=8, alg=-47),
    "ES384": key(alg=-35),
    "ECDH": key(alg=-25),
    "another key type": key(kty=1),
    "a type that is true": key(kty=True),
    "a curve that is true": key(crv=True),
    "a curve as text": key(crv="P-256"),
    "x of 31 bytes": key(x=b"\x01" * 31),
    "x of 33 bytes": lambda passkey, options, _: passkey.create(
        options, cose_key=passkey.cose_key(x=b"\0" + passkey.x)
    ),
    "x with a byte cut off": lambda passkey, options, _: passkey.create(
        options, cose_key=passkey.cose_key(x=passkey.x[1:])
    ),
    "x and y exchanged": lambda passkey, options, _: passkey.create(
        options, cose_key=passkey.cose_key(x=passkey.y, y=passkey.x)
    ),
    "x as a number": lambda passkey, options, _: passkey.create(
        options, cose_key=passkey.cose_key(x=int.from_bytes(passkey.x, "big"))
    ),
    "the other y": lambda passkey, options, _: passkey.create(
        options, cose_key=passkey.cose_key(y=flipped(passkey.y))
    ),
    "an algorithm as text": key(alg="ES256"),
    "an algorithm that is null": key(alg=None),
    "ES256 under its fully specified number": key(alg=-9),
    "y as a sign": key(y=True),
    "y as text": key(y="1"),
    "y empty": key(y=b""),
    "a point off the curve": key(y=b"\x01" * 32),
    "the point at infinity": key(x=b"\0" * 32, y=b"\0" * 32),
    "coordinates beyond the field": key(x=b"\xff" * 32, y=b"\xff" * 32),
    "a private part": key_edit(lambda value: value.update({-4: b"\x01" * 32})),
    "a key identifier": key_edit(lambda value: value.update({2: b"a"})),
    "a label as text": key_edit(lambda value: value.update({"a": 1})),
    "a label that is true": key_edit(
        lambda value: {True: 2} | {k: v for k, v in value.items() if k != 1}
    ),
    "no algorithm": key_edit(lambda value: value.pop(3) and None),
    "no y": key_edit(lambda value: value.pop(-3) and None),
    "a key in a list": key_edit(lambda value: list(value.values())),
    "a key in uncompressed form": lambda passkey, options, _: passkey.create(
        options, cose_key=b"\x04" + passkey.x + passkey.y
    ),
    "a label twice": lambda passkey, options, _: passkey.create(
        options, cose_key=b"\xa6" + cbor2.dumps(passkey.cose_key())[1:] + b"\x03\x26"
    ),
    "a key of indefinite length": lambda passkey, options, _: passkey.create(
        options, cose_key=b"\xbf" + cbor2.dumps(passkey.cose_key())[1:] + b"\xff"
    ),
    "a key tagged as bytes": lambda passkey, options, _: passkey.create(
        options, cose_key=cbor2.dumps(cbor2.dumps(passkey.cose_key()))
    ),
    "a statement in none": piece(statement={"alg": -7}),
    "an unknown statement in none": piece(statement={"zzz": 1}),
    "a statement in a list": piece(statement=[]),
    "a statement as text": piece(statement="a"),
    "an unknown format": piece(fmt="zzz"),
    "a format in another case": piece(fmt="None"),
    "a format that is a number": piece(fmt=1),
    "a format that is a list": piece(fmt=["none"]),
    "packed without a signature": piece(fmt="packed", statement={"alg": -7}),
    "packed with a wrong signature": piece(
        fmt="packed", statement={"alg": -7, "sig": b"\x30\x06\x02\x01\x01\x02\x01\x01"}
    ),
    "packed with another algorithm": piece(
        fmt="packed", statement={"alg": -257, "sig": b"\x01" * 64}
    ),
    "packed with an empty certificate": piece(
        fmt="packed", statement={"alg": -7, "sig": b"\x01", "x5c": [b""]}
    ),
    "packed with certificates as a number": piece(
        fmt="packed", statement={"alg": -7, "sig": b"\x01", "x5c": 5}
    ),
    "packed over other data": lambda passkey, options, _: passkey.create(
        options, fmt="packed", statement={"alg": -7, "sig": passkey.sign(b"other")}
    ),
    "packed by another key": lambda passkey, options, _: passkey.create(
        options,
        fmt="packed",
        statement=other_statement(passkey, options),
    ),
    "packed by ECDAA": piece(
        fmt="packed", statement={"alg": -7, "sig": b"\x01", "ecdaaKeyId": b"\x01"}
    ),
    "packed with a certificate that is none": piece(
        fmt="packed", statement={"alg": -7, "sig": b"\x01", "x5c": [b"\x30\x03abc"]}
    ),
    "tpm without anything": piece(fmt="tpm"),
    "apple without anything": piece(fmt="apple"),
    "fido-u2f without anything": piece(fmt="fido-u2f"),
    "android-key without anything": piece(fmt="android-key"),
    "android-safetynet without anything": piece(fmt="android-safetynet"),
    "no format": whole(lambda value: value.pop("fmt") and None),
    "no statement": whole(
        lambda value: {k: v for k, v in value.items() if k != "attStmt"}
    ),
    "no data": whole(lambda value: value.pop("authData") and None),
    "data as text": whole(lambda value: value.update(authData="a")),
    "a list of parts": whole(lambda value: list(value.values())),
    "nothing after all": attestation(lambda real: b""),
    "a byte after the attestation object": attestation(lambda real: real + b"\0"),
    "two attestation objects": attestation(lambda real: real + real),
    "a truncated attestation object": attestation(lambda real: real[:-1]),
    "no CBOR": attestation(lambda real: b"\xff\xff\xff"),
    "CBOR nested without end": attestation(lambda real: b"\x81" * 5_000),
    "CBOR that claims 2**63 bytes": attestation(lambda real: b"\x5b\x7f" + b"\xff" * 7),
    "an attestation object tagged": attestation(lambda real: b"\xd8\x18" + real),
    "an attestation object of indefinite length": attestation(
        lambda real: b"\xbf" + real[1:] + b"\xff"
    ),
    "a format twice": attestation(lambda real: b"\xa4" + real[1:] + b"\x63fmt\x64none"),
    "an assertion's data alone": attestation(
        lambda real: cbor2.loads(real)["authData"]
    ),
    "a CBOR date": attestation(lambda real: b"\xc0\x61a"),
    "an attestation object of 17 KiB": whole(
        lambda value: value.update(z=b"\0" * 17_000)
    ),
    "no attestation object": inside(drop("attestationObject")),
    "a padded attestation object": inside(
        lambda value: value.update(attestationObject=pad(value["attestationObject"]))
    ),
    "an attestation object as a list": inside(put(attestationObject=[1, 2])),
    "transports as text": inside(put(transports="internal")),
}


def signature(edit: Callable[[bytes], bytes]) -> Forgery:
    def change(value):
        value["signature"] = base64url(edit(from_base64url(value["signature"])))

    return inside(change)


def flip(index: int) -> Callable[[bytes], bytes]:
    def edit(value: bytes) -> bytes:
        changed = bytearray(value)
        changed[index] ^= 1
        return bytes(changed)

    return edit


def raw(passkey, options, _):
    """Return an answer whose signature is r and s without DER."""
    challenge_bytes = from_base64url(options["challenge"])
    r, s = passkey.assert_challenge(challenge_bytes).r_and_s
    return passkey.get(options, signature=r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def registration_data(passkey, options, _):
    attested = attested_data(
        credential_id=passkey.credential_id, key=cbor2.dumps(passkey.cose_key())
    )
    return passkey.get(options, flags=SYNCED | AT, attested=attested)


def signed(edit: Callable[[bytes, bytes], bytes], algorithm=None) -> Forgery:
    """Sign other bytes, made from the data and the client data, or another way."""

    def forge(passkey, options, _):
        real = passkey.assert_challenge(from_base64url(options["challenge"]))
        message = edit(real.authenticator_data, real.client_data_json)
        how = ec.ECDSA(algorithm or hashes.SHA256())
        return passkey.get(options, signature=passkey.private_key.sign(message, how))

    return forge


def proper(data: bytes, client_data_json: bytes) -> bytes:
    return data + hashlib.sha256(client_data_json).digest()


def by_another_key(passkey, options, _):
    other = dataclasses.replace(
        passkey, private_key=ec.generate_private_key(ec.SECP256R1())
    )
    return other.get(options)


def with_integers(edit: Callable[[int, int], tuple[int, int]]) -> Forgery:
    """Replace r and s, in proper DER."""
    return signature(
        lambda real: encode_dss_signature(*edit(*decode_dss_signature(real)))
    )


def padded_integer(real: bytes) -> bytes:
    """Return DER in which r has a zero byte too many in front."""
    r_length = real[3]
    head = bytes([0x30, real[1] + 1, 0x02, r_length + 1, 0])
    return head + real[4:]


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256

ASSERTION: dict[str, Forgery] = {
    **impossible_flags("an assertion", 0),
    "a signature by another key": by_another_key,
    "a signature with SHA-384": signed(proper, hashes.SHA384()),
    "a signature with SHA-1": signed(proper, hashes.SHA1()),  # noqa: S303
    "a signature over the data alone": signed(lambda data, client: data),
    "a signature over the client data alone": signed(
        lambda data, client: hashlib.sha256(client).digest()
    ),
    "a signature over client data not hashed": signed(
        lambda data, client: data + client
    ),
    "a signature over both in the wrong order": signed(
        lambda data, client: hashlib.sha256(client).digest() + data
    ),
    "r and s exchanged": with_integers(lambda r, s: (s, r)),
    "r beyond the order": with_integers(lambda r, s: (r + ORDER, s)),
    "s beyond the order": with_integers(lambda r, s: (r, s + ORDER)),
    "a signature in hexadecimal": inside(
        lambda value: value.update(signature=from_base64url(value["signature"]).hex())
    ),
    "r with a zero byte too many": signature(padded_integer),
    "a signature with a length in long form": signature(
        lambda real: real[:1] + b"\x81" + real[1:]
    ),
    "a signature of indefinite length": signature(
        lambda real: b"\x30\x80" + real[2:-2] + b"\0\0"
    ),
    "a signature inside another sequence": signature(
        lambda real: b"\x30" + bytes([len(real)]) + real
    ),
    "a user handle that is a number": inside(put(userHandle=5)),
    "a user handle in another alphabet": inside(
        lambda value: value.update(userHandle=standard(value["userHandle"]))
    ),
    "the person's name as user handle": piece(user_handle=b"Latchkey AAAA-0000"),
    "client data of another answer": inside(
        lambda value: value.update(
            clientDataJSON=base64url(
                from_base64url(value["clientDataJSON"])[:-1] + b',"a":1}'
            )
        )
    ),
    "an assertion for another relying party": piece(rp_id="evil.example"),
    "attested data": registration_data,
    "attested bytes without their flag": piece(attested=b"\0" * 18),
    "the flag of attested data alone": piece(flags=SYNCED | AT),
    "the flag of extensions alone": piece(flags=SYNCED | ED),
    "an assertion with extensions in a list": piece(extensions=cbor2.dumps([1])),
    "bytes after an assertion's extensions": piece(
        extensions=cbor2.dumps({"a": 1}) + b"\0"
    ),
    "bytes after the counter": piece(tail=b"\0"),
    "authenticator data of 36 bytes": piece(data=b"\0" * 36),
    "data of 257 bytes": piece(extensions=cbor2.dumps({"a": b"\0" * (257 - 37 - 5)})),
    "empty authenticator data": piece(data=b""),
    "no authenticator data": inside(drop("authenticatorData")),
    "authenticator data as a number": inside(put(authenticatorData=7)),
    "other data than was signed": inside(
        lambda value: value.update(
            authenticatorData=base64url(authenticator_data(flags=SYNCED, sign_count=9))
        )
    ),
    "no signature": inside(drop("signature")),
    "an empty signature": signature(lambda _: b""),
    "a signature that is null": inside(put(signature=None)),
    "a bit of the signature": signature(flip(-1)),
    "a truncated signature": signature(lambda real: real[:-1]),
    "a byte after the signature": signature(lambda real: real + b"\0"),
    "a signature of 73 bytes": signature(lambda real: real + b"\0" * (73 - len(real))),
    "a signature without DER": raw,
    "r and s zero": signature(lambda _: bytes.fromhex("3006020100020100")),
    "r and s one": signature(lambda _: bytes.fromhex("3006020101020101")),
    "negative r": signature(lambda _: bytes.fromhex("30060201ff020101")),
    "a padded signature": inside(
        lambda value: value.update(signature=pad(value["signature"]))
    ),
    "a user handle in a list": inside(put(userHandle=["a"])),
    "a padded user handle": inside(
        lambda value: value.update(userHandle=pad(value["userHandle"]))
    ),
    "a user handle of 65 bytes": piece(user_handle=b"\x01" * 65),
    "an empty user handle": piece(user_handle=b""),
    "another user handle": piece(user_handle=b"\x01" * 64),
    "no user handle": piece(user_handle=None),
    "an unknown id": piece(credential_id=b"\x01" * 32),
    "a registration's answer": lambda passkey, options, _: {
        **passkey.get(options),
        "response": {
            "clientDataJSON": base64url(
                client_data(
                    ceremony="webauthn.get",
                    challenge=from_base64url(options["challenge"]),
                )
            ),
            "attestationObject": base64url(
                attestation_object(data=authenticator_data(flags=SYNCED))
            ),
        },
    },
}
