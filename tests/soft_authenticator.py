"""A passkey in software: real P-256 keys, real CBOR, real signatures.

It answers registration and authentication options as a browser with an authenticator
would, and also any 32-byte challenge of a chain. Every piece of an answer can be replaced
before it is signed, so that a forged answer differs from a real one in one place only.
Sources: https://www.w3.org/TR/webauthn-3/, sections 5.8.1.1, 6.1 and 6.5.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

RP_ID = "localhost"
ORIGIN = "http://localhost:8000"

UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
SYNCED = UP | UV | BE | BS
DEVICE_BOUND = UP | UV


def base64url(value: bytes) -> str:
    """Return unpadded base64url text."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Return the bytes of unpadded base64url text."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def client_data(
    *,
    ceremony: str,
    challenge: bytes,
    origin: str = ORIGIN,
    members: dict[str, object] | None = None,
) -> bytes:
    """Return clientDataJSON as browsers serialise it, ``members`` after the origin."""
    fields: dict[str, object] = {
        "type": ceremony,
        "challenge": base64url(challenge),
        "origin": origin,
    }
    fields |= {"crossOrigin": False} if members is None else members
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def authenticator_data(
    *,
    flags: int,
    rp_id: str = RP_ID,
    sign_count: int = 0,
    attested: bytes = b"",
    extensions: bytes = b"",
) -> bytes:
    """Return authenticator data; the flags are taken as they are given."""
    head = hashlib.sha256(rp_id.encode()).digest() + bytes([flags])
    return head + sign_count.to_bytes(4, "big") + attested + extensions


def attested_data(
    *, credential_id: bytes, key: bytes, aaguid: bytes = b"\0" * 16
) -> bytes:
    """Return attested credential data: AAGUID, length, id, COSE key."""
    return aaguid + len(credential_id).to_bytes(2, "big") + credential_id + key


def attestation_object(
    *, data: bytes, fmt: object = "none", statement: object = None
) -> bytes:
    """Return an attestation object in CTAP2's order of members."""
    statement = {} if statement is None else statement
    return cbor2.dumps({"fmt": fmt, "attStmt": statement, "authData": data})


@dataclass(frozen=True)
class Assertion:
    """The raw pieces of one signature."""

    client_data_json: bytes
    authenticator_data: bytes
    signature: bytes  # DER

    @property
    def r_and_s(self) -> tuple[int, int]:
        """The two integers of the signature."""
        return decode_dss_signature(self.signature)


@dataclass
class SoftAuthenticator:
    """One passkey and the browser around it."""

    rp_id: str = RP_ID
    origin: str = ORIGIN
    flags: int = SYNCED
    sign_count: int = 0
    aaguid: bytes = b"\0" * 16
    transports: list[str] = field(default_factory=lambda: ["internal", "hybrid"])
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    user_handle: bytes | None = None

    @property
    def x(self) -> bytes:
        """The public key's x, 32 bytes."""
        return self.private_key.public_key().public_numbers().x.to_bytes(32, "big")

    @property
    def y(self) -> bytes:
        """The public key's y, 32 bytes."""
        return self.private_key.public_key().public_numbers().y.to_bytes(32, "big")

    def cose_key(self, **changes: Any) -> dict[int, Any]:
        """Return the COSE key as a map of labels, with named labels replaced."""
        key = {1: 2, 3: -7, -1: 1, -2: self.x, -3: self.y}
        labels = {"kty": 1, "alg": 3, "crv": -1, "x": -2, "y": -3}
        return key | {labels[name]: value for name, value in changes.items()}

    def sign(self, data: bytes) -> bytes:
        """Return a DER signature, ECDSA with SHA-256; the same for the same bytes."""
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        return self.private_key.sign(data, algorithm)

    def create(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Return RegistrationResponseJSON for creation options.

        Changes, each replacing one piece: client_data_json, flags, rp_id, origin,
        members, challenge, ceremony, sign_count, cose_key (a map or bytes),
        attested_id, attested, extensions, tail (bytes after the data), data, fmt,
        statement, attestation_object, credential_id.
        """
        self.user_handle = from_base64url(options["user"]["id"])
        client = self._client_data("webauthn.create", options, changes)
        key = changes.get("cose_key", self.cose_key())
        attested = attested_data(
            credential_id=changes.get("attested_id", self.credential_id),
            key=key if isinstance(key, bytes) else cbor2.dumps(key),
            aaguid=self.aaguid,
        )
        data = self._data(changes, AT, changes.get("attested", attested))
        attestation = changes.get("attestation_object") or attestation_object(
            data=data,
            fmt=changes.get("fmt", "none"),
            statement=self._statement(changes.get("statement"), data, client),
        )
        credential = self._credential(changes)
        credential["response"] = {
            "clientDataJSON": base64url(client),
            "attestationObject": base64url(attestation),
            "transports": self.transports,
        }
        return credential

    def get(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Return AuthenticationResponseJSON for request options.

        Changes as in ``create``, and: signature, user_handle.
        """
        assertion = self.assert_challenge(
            from_base64url(options["challenge"]), **changes
        )
        user_handle = changes.get("user_handle", self.user_handle)
        credential = self._credential(changes)
        credential["response"] = {
            "clientDataJSON": base64url(assertion.client_data_json),
            "authenticatorData": base64url(assertion.authenticator_data),
            "signature": base64url(assertion.signature),
            "userHandle": None if user_handle is None else base64url(user_handle),
        }
        return credential

    def assert_challenge(self, challenge: bytes, /, **changes: Any) -> Assertion:
        """Return the pieces of an assertion over any challenge, 32 bytes included."""
        options = {"challenge": base64url(challenge)}
        client = self._client_data("webauthn.get", options, changes)
        data = self._data(changes, 0, changes.get("attested", b""))
        signature = self.sign(data + hashlib.sha256(client).digest())
        return Assertion(client, data, changes.get("signature", signature))

    def _client_data(
        self, ceremony: str, options: dict[str, Any], changes: dict[str, Any]
    ) -> bytes:
        if "client_data_json" in changes:
            return changes["client_data_json"]
        challenge = changes.get("challenge", from_base64url(options["challenge"]))
        return client_data(
            ceremony=changes.get("ceremony", ceremony),
            challenge=challenge,
            origin=changes.get("origin", self.origin),
            members=changes.get("members"),
        )

    def _data(self, changes: dict[str, Any], flag: int, attested: bytes) -> bytes:
        extensions = changes.get("extensions", b"")
        flags = self.flags | flag | (ED if extensions else 0)
        data = authenticator_data(
            flags=changes.get("flags", flags),
            rp_id=changes.get("rp_id", self.rp_id),
            sign_count=changes.get("sign_count", self.sign_count),
            attested=attested,
            extensions=extensions,
        )
        return changes.get("data", data + changes.get("tail", b""))

    def _statement(self, statement: Any, data: bytes, client: bytes) -> Any:
        """Return the statement; ``self`` stands for a real packed self attestation."""
        if statement != "self":
            return statement
        return {"alg": -7, "sig": self.sign(data + hashlib.sha256(client).digest())}

    def _credential(self, changes: dict[str, Any]) -> dict[str, Any]:
        credential_id = base64url(changes.get("credential_id", self.credential_id))
        return {
            "id": credential_id,
            "rawId": credential_id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        }
