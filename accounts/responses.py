"""The browser's answers: WebAuthn Level 3 JSON, read into exact bytes.

Source: https://www.w3.org/TR/webauthn-3/#iface-pkcredential, dictionaries
RegistrationResponseJSON and AuthenticationResponseJSON. Only the members that are
verified are read; what else a browser adds (``publicKey``) means nothing and is
dropped. ``authenticatorAttachment`` is kept as a hint, never handed on in a response:
py_webauthn refuses attachments it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.errors import MalformedResponse
from accounts.strict_json import decode_base64url, parse_object

CREDENTIAL_ID_BYTES = range(16, 1024)  # WebAuthn section 4, "Credential ID"
USER_HANDLE_BYTES = range(1, 65)  # WebAuthn section 4, "User Handle"
ATTESTATION_OBJECT_BYTES = 16 * 1024  # ours: a certificate chain takes about 3 KiB
AUTHENTICATOR_DATA_BYTES = 256  # ours, in an assertion: it is paid for on chain
SIGNATURE_BYTES = 72  # the longest DER form of two 256-bit integers

# AuthenticatorTransport, WebAuthn section 5.8.4, and "cable", hybrid's older name.
# Unknown ones must be ignored (section 5.2.1.1), and only these are ever stored.
TRANSPORTS = ("ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb")


# https://www.w3.org/TR/webauthn-3/#enum-attachment
OF_THIS_DEVICE = "platform"
OF_ANOTHER_DEVICE = "cross-platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationResponse:
    credential_id: bytes
    client_data_json: bytes
    attestation_object: bytes
    transports: list[str]
    attachment: str  # the browser's word


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionResponse:
    credential_id: bytes
    client_data_json: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None  # absent is allowed unless the passkey was discovered
    attachment: str  # the browser's word


def credential_id(text: str) -> bytes:
    """Return the rawId of either kind of response.

    Raises:
        MalformedResponse: ``text`` names none.
    """
    return _members_of(text)[0]


def client_data_json(text: str) -> bytes:
    """Return the client data of either kind of response, decoded and not yet judged.

    Raises:
        MalformedResponse: ``text`` holds no client data.
    """
    return decode_base64url(_members_of(text)[1].get("clientDataJSON"))


def parse_registration(text: str) -> RegistrationResponse:
    """Return the parts of a RegistrationResponseJSON.

    Raises:
        MalformedResponse: a member is missing, of another type, or too large.
    """
    credential_id, members = _members_of(text)
    attestation_object = decode_base64url(members.get("attestationObject"))
    if len(attestation_object) > ATTESTATION_OBJECT_BYTES:
        raise MalformedResponse
    return RegistrationResponse(
        credential_id=credential_id,
        client_data_json=decode_base64url(members.get("clientDataJSON")),
        attestation_object=attestation_object,
        transports=_transports(members.get("transports")),
        attachment=_attachment(text),
    )


def parse_assertion(text: str) -> AssertionResponse:
    """Return the parts of an AuthenticationResponseJSON.

    Raises:
        MalformedResponse: a member is missing, of another type, or too large.
    """
    credential_id, members = _members_of(text)
    authenticator_data = decode_base64url(members.get("authenticatorData"))
    signature = decode_base64url(members.get("signature"))
    if len(authenticator_data) > AUTHENTICATOR_DATA_BYTES:
        raise MalformedResponse
    if len(signature) > SIGNATURE_BYTES:
        raise MalformedResponse
    user_handle = None
    if members.get("userHandle") is not None:
        user_handle = decode_base64url(members["userHandle"])
        if len(user_handle) not in USER_HANDLE_BYTES:
            raise MalformedResponse
    return AssertionResponse(
        credential_id=credential_id,
        client_data_json=decode_base64url(members.get("clientDataJSON")),
        authenticator_data=authenticator_data,
        signature=signature,
        user_handle=user_handle,
        attachment=_attachment(text),
    )


def _attachment(text: str) -> str:
    """Return where the browser found the passkey; empty where it does not say."""
    attachment = parse_object(text).get("authenticatorAttachment")
    known = (OF_THIS_DEVICE, OF_ANOTHER_DEVICE)
    return next((word for word in known if word == attachment), "")


def _members_of(text: str) -> tuple[bytes, dict[str, object]]:
    """Return the credential id and the members of ``response``."""
    credential = parse_object(text)
    if credential.get("type") != "public-key":
        raise MalformedResponse
    # Section 5.1: id is rawId's base64url. py_webauthn accepts padding (measured).
    if credential.get("id") != credential.get("rawId"):
        raise MalformedResponse
    credential_id = decode_base64url(credential.get("rawId"))
    if len(credential_id) not in CREDENTIAL_ID_BYTES:
        raise MalformedResponse
    # An absent clientExtensionResults is what hand-written callers send.
    if not isinstance(credential.get("clientExtensionResults", {}), dict):
        raise MalformedResponse
    members = credential.get("response")
    if not isinstance(members, dict):
        raise MalformedResponse
    return credential_id, members


def _transports(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedResponse
    return sorted({item for item in value if item in TRANSPORTS})
