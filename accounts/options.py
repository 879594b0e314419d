"""What the browser is asked: WebAuthn Level 3 options as JSON.

Source: https://www.w3.org/TR/webauthn-3/, sections 5.4 (creation), 5.5 (request) and
5.1.8 and 5.1.9 (their JSON form). The verifying side is accounts.webauthn.
"""

from __future__ import annotations

from collections.abc import Sequence

from accounts.authenticator_data import ES256
from accounts.strict_json import encode_base64url

# PublicKeyCredentialHint (section 5.8.7), each with the attachment that says the same
# to browsers without hints, as that section advises.
ATTACHMENTS = {
    "client-device": "platform",
    "hybrid": "cross-platform",
    "security-key": "cross-platform",
}


def registration_options(
    *,
    rp_id: str,
    rp_name: str,
    user_handle: bytes,
    user_name: str,
    challenge: bytes,
    timeout_seconds: int,
    attestation: str,
) -> dict[str, object]:
    """Return PublicKeyCredentialCreationOptionsJSON for a new, discoverable passkey.

    A registration always makes a new handle, so there is nothing to exclude.
    """
    return {
        "rp": {"id": rp_id, "name": rp_name},
        "user": {
            "id": encode_base64url(user_handle),
            "name": user_name,
            "displayName": user_name,
        },
        "challenge": encode_base64url(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": ES256}],
        "timeout": timeout_seconds * 1000,  # milliseconds
        "excludeCredentials": [],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,  # what Level 1 browsers read
            "userVerification": "required",
        },
        "hints": [],
        "attestation": attestation,  # section 5.4.7
        "extensions": {},
    }


def aimed_at(asked: dict[str, object], hint: str) -> dict[str, object]:
    """Return options of either kind that offer one kind of authenticator first.

    Whatever answers in the end is accepted: a hint is for the person's convenience, and
    an unknown one says nothing. Only creation options know attachments (section 5.4.4).
    """
    if hint not in ATTACHMENTS:
        return asked
    aimed = asked | {"hints": [hint]}
    selection = asked.get("authenticatorSelection")
    if isinstance(selection, dict):
        attachment = {"authenticatorAttachment": ATTACHMENTS[hint]}
        aimed["authenticatorSelection"] = selection | attachment
    return aimed


def descriptor(*, credential_id: bytes, transports: Sequence[str]) -> dict[str, object]:
    """Return PublicKeyCredentialDescriptorJSON (section 5.8.3), naming one passkey."""
    return {
        "type": "public-key",
        "id": encode_base64url(credential_id),
        "transports": list(transports),
    }


def authentication_options(
    *, rp_id: str, challenge: bytes, timeout_seconds: int
) -> dict[str, object]:
    """Return PublicKeyCredentialRequestOptionsJSON for any passkey of this site.

    Without allowCredentials the browser offers every passkey it has for the site:
    nothing has to be typed, and the options say nothing about anybody (R10).
    """
    return {
        "challenge": encode_base64url(challenge),
        "timeout": timeout_seconds * 1000,  # milliseconds
        "rpId": rp_id,
        "userVerification": "required",
        "hints": [],
        "extensions": {},
    }
