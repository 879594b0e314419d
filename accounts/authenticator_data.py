"""What the authenticator signs: its data, the attestation object and the COSE key.

Sources: https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data, section 6.5.4
(attestation object), RFC 9052 section 7 and RFC 9053 section 7.1 (COSE keys).
"""

from __future__ import annotations

import hashlib
import io
import uuid
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from accounts.errors import (
    CeremonyFailed,
    MalformedResponse,
    UserNotVerified,
    WrongSite,
)

# Flags, section 6.1. Bits 1 and 5 are reserved and say nothing.
USER_PRESENT, USER_VERIFIED = 0x01, 0x04
BACKUP_ELIGIBLE, BACKUP_STATE = 0x08, 0x10
ATTESTED, EXTENSIONS = 0x40, 0x80

# COSE labels and values: kty EC2, alg ES256, crv P-256, then the coordinates.
KEY_TYPE, ALGORITHM, CURVE, X, Y = 1, 3, -1, -2, -3
EC2, ES256, P256 = 2, -7, 1
COORDINATE_BYTES = 32

NESTING = 8  # ours: certificates in a statement need 3

WRONG_KEY = (
    "This passkey has a key of another kind. Latchkey needs ES256, the P-256 curve. "
    "Nothing was changed. Choose another provider, another phone, or a security key."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedCredential:
    aaguid: uuid.UUID
    credential_id: bytes
    public_key_x: bytes  # 32 bytes, big-endian
    public_key_y: bytes  # 32 bytes, big-endian


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorData:
    flags: int
    sign_count: int  # uint32
    attested: AttestedCredential | None

    @property
    def backup_eligible(self) -> bool:
        """Whether the key may exist on more than one device."""
        return bool(self.flags & BACKUP_ELIGIBLE)

    @property
    def backup_state(self) -> bool:
        """Whether the key is backed up now."""
        return bool(self.flags & BACKUP_STATE)


def parse_attestation_object(value: bytes) -> bytes:
    """Return ``authData`` of an attestation object whose statement has the right shape.

    Raises:
        MalformedResponse: not one CBOR map of fmt, attStmt and authData.
    """
    attestation, end = _decode_cbor(value)
    if not isinstance(attestation, dict) or end != len(value):
        raise MalformedResponse
    statement = attestation.get("attStmt")
    if not isinstance(statement, dict):
        raise MalformedResponse
    # Section 8.7. py_webauthn notices only the members that it knows (measured).
    if attestation.get("fmt") == "none" and statement:
        raise MalformedResponse
    data = attestation.get("authData")
    if not isinstance(data, bytes):
        raise MalformedResponse
    return data


def parse(value: bytes) -> AuthenticatorData:
    """Return the fields of authenticator data, with nothing left over.

    Raises:
        MalformedResponse: truncated, trailing bytes, or flags that contradict the rest.
        CeremonyFailed: the attested key is not an ES256 key on P-256.
    """
    if len(value) < 37:
        raise MalformedResponse
    flags, sign_count, rest = value[32], int.from_bytes(value[33:37], "big"), value[37:]
    # Section 6.1.3: what cannot be backed up is not backed up.
    if flags & BACKUP_STATE and not flags & BACKUP_ELIGIBLE:
        raise MalformedResponse
    attested = None
    if flags & ATTESTED:
        attested, rest = _attested_credential(rest)
    if flags & EXTENSIONS:
        extensions, end = _decode_cbor(rest)
        if not isinstance(extensions, dict):
            raise MalformedResponse
        rest = rest[end:]
    if rest:
        raise MalformedResponse
    return AuthenticatorData(flags=flags, sign_count=sign_count, attested=attested)


def check(value: bytes, *, flags: int, rp_id: str) -> None:
    """Accept data made for this relying party by a verified person.

    Raises:
        WrongSite: made for another relying party (7.1 step 14, 7.2 step 15).
        UserNotVerified: UP or UV is not set (7.1 steps 15 and 16, 7.2 16 and 17; R5).
    """
    if value[:32] != hashlib.sha256(rp_id.encode()).digest():
        raise WrongSite
    if not flags & USER_PRESENT or not flags & USER_VERIFIED:
        raise UserNotVerified


def _attested_credential(value: bytes) -> tuple[AttestedCredential, bytes]:
    """Return the attested credential at the start of ``value``, and what follows it."""
    if len(value) < 18:
        raise MalformedResponse
    id_end = 18 + int.from_bytes(value[16:18], "big")
    credential_id = value[18:id_end]
    key, key_bytes = _decode_cbor(value[id_end:])
    x, y = _coordinates(key)
    attested = AttestedCredential(
        aaguid=uuid.UUID(bytes=value[:16]),
        credential_id=credential_id,
        public_key_x=x,
        public_key_y=y,
    )
    return attested, value[id_end + key_bytes :]


def _coordinates(key: object) -> tuple[bytes, bytes]:
    """Return x and y of a COSE key that is exactly a public ES256 key on P-256."""
    if not isinstance(key, dict):
        raise MalformedResponse
    # RFC 9053 section 7.1.1. Exactly these five: no private part, nothing to interpret.
    # Types are compared too: in Python True equals 1, as a label and as a value.
    labels = [label for label in key if type(label) is int]
    if len(labels) != len(key) or set(labels) != {KEY_TYPE, ALGORITHM, CURVE, X, Y}:
        raise CeremonyFailed(WRONG_KEY)
    numbers = [key[KEY_TYPE], key[ALGORITHM], key[CURVE]]
    if numbers != [EC2, ES256, P256] or any(type(n) is not int for n in numbers):
        raise CeremonyFailed(WRONG_KEY)
    x, y = key[X], key[Y]
    for coordinate in (x, y):
        # Compressed points carry a boolean y; shorter ones would shift on chain.
        if not isinstance(coordinate, bytes) or len(coordinate) != COORDINATE_BYTES:
            raise CeremonyFailed(WRONG_KEY)
    check_point(x, y)
    return x, y


def check_point(x: bytes, y: bytes) -> None:
    """Accept a point of P-256; the curve equation is checked by OpenSSL.

    Raises:
        CeremonyFailed: the point is not on the curve.
    """
    point = ec.EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()
    )
    try:
        point.public_key()
    except ValueError as error:
        raise CeremonyFailed(WRONG_KEY) from error


def _decode_cbor(value: bytes) -> tuple[Any, int]:
    """Return the first CBOR item and how many bytes it took.

    CTAP2's canonical form (section 8) has no indefinite lengths, duplicates or depth.
    """
    stream = io.BytesIO(value)
    decoder = cbor2.CBORDecoder(
        stream,
        max_depth=NESTING,
        allow_indefinite=False,
        allow_duplicate_keys=False,
    )
    try:
        return decoder.decode(), stream.tell()
    # Tags call the decoders of many Python types, each with errors of its own.
    except Exception as error:
        raise MalformedResponse from error
