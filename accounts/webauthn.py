"""The checks of WebAuthn Level 3 on what a browser answers.

Source: https://www.w3.org/TR/webauthn-3/, sections 7.1 (registration) and 7.2
(assertion). py_webauthn does the cryptography; what it was measured to leave open is
checked here and in client_data, authenticator_data and responses, beside the step that
it belongs to. The options are in accounts.options.

No request, no ORM, no clock. Storing the challenge, expiry, single use and binding are
in accounts.ceremonies; uniqueness and the counter rule are in accounts.services.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import cbor2
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier

from accounts import authenticator_data, client_data, responses
from accounts.errors import CeremonyFailed, MalformedResponse
from accounts.responses import AssertionResponse, RegistrationResponse
from accounts.strict_json import encode_base64url


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRecord:
    """What is known of a passkey before it answers (section 4, "credential record")."""

    credential_id: bytes
    public_key_x: bytes  # 32 bytes, big-endian
    public_key_y: bytes  # 32 bytes, big-endian
    user_handle: bytes  # of the person it belongs to


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRegistration:
    """A new passkey; ``aaguid`` is its own word, since no attestation is trusted."""

    credential_id: bytes
    public_key_x: bytes
    public_key_y: bytes
    aaguid: uuid.UUID
    flags: int  # one byte, section 6.1
    sign_count: int
    backup_eligible: bool
    backup_state: bool
    transports: list[str]
    attachment: str  # the browser's word, not signed


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedAssertion:
    """An answer whose signature holds, with the exact bytes that a chain would see."""

    credential_id: bytes
    authenticator_data: bytes
    client_data_json: bytes
    signature: bytes  # DER; s may be high
    flags: int  # one byte, section 6.1
    sign_count: int
    backup_eligible: bool
    backup_state: bool
    attachment: str  # the browser's word, not signed


def challenge_of(response: str) -> bytes:
    """Return the challenge that a response answers, before anything is verified.

    Raises:
        MalformedResponse: it names none.
    """
    return client_data.challenge_of(responses.client_data_json(response))


def credential_id_of(response: str) -> bytes:
    """Return the rawId of an assertion, to find the credential record by.

    Raises:
        MalformedResponse: it is not an assertion.
    """
    return responses.parse_assertion(response).credential_id


def verify_registration(
    *, response: str, expected_challenge: bytes, rp_id: str, origin: str
) -> VerifiedRegistration:
    """Return the new passkey of a RegistrationResponseJSON (section 7.1).

    Raises:
        CeremonyFailed: any step fails; the message is safe to show.
    """
    parsed = responses.parse_registration(response)
    client_data.check(
        parsed.client_data_json,
        ceremony=client_data.CREATE,
        challenge=expected_challenge,
        origin=origin,
    )
    raw = authenticator_data.parse_attestation_object(parsed.attestation_object)
    data = authenticator_data.parse(raw)
    authenticator_data.check(raw, flags=data.flags, rp_id=rp_id)
    if data.attested is None:
        raise MalformedResponse
    # Both name the same key by construction; py_webauthn does not compare (measured).
    if data.attested.credential_id != parsed.credential_id:
        raise MalformedResponse
    _check_statement(parsed, expected_challenge, rp_id, origin)
    return VerifiedRegistration(
        credential_id=parsed.credential_id,
        public_key_x=data.attested.public_key_x,
        public_key_y=data.attested.public_key_y,
        aaguid=data.attested.aaguid,
        flags=data.flags,
        sign_count=data.sign_count,
        backup_eligible=data.backup_eligible,
        backup_state=data.backup_state,
        transports=parsed.transports,
        attachment=parsed.attachment,
    )


def verify_assertion(
    *,
    response: str,
    expected_challenge: bytes,
    credential: CredentialRecord,
    rp_id: str,
    origin: str,
    is_discovered: bool = False,
    allowed_credential_ids: Sequence[bytes] | None = None,
) -> VerifiedAssertion:
    """Return what an AuthenticationResponseJSON proves (section 7.2).

    Serves sign-in with its 64-byte challenge and authorisations with a 32-byte hash.

    Args:
        is_discovered: No allowCredentials were sent, so the person must be named.
        allowed_credential_ids: What allowCredentials listed, if it was sent.

    Raises:
        CeremonyFailed: any step fails; the message is safe to show.
    """
    parsed = responses.parse_assertion(response)
    data = _assertion_data(parsed, expected_challenge, rp_id, origin)
    _check_signature(parsed, credential, expected_challenge, rp_id, origin)
    # After the signature, so that the time of an answer does not tell what was wrong.
    _check_owner(parsed, credential, is_discovered, allowed_credential_ids)
    return VerifiedAssertion(
        credential_id=parsed.credential_id,
        authenticator_data=parsed.authenticator_data,
        client_data_json=parsed.client_data_json,
        signature=parsed.signature,
        flags=data.flags,
        sign_count=data.sign_count,
        backup_eligible=data.backup_eligible,
        backup_state=data.backup_state,
        attachment=parsed.attachment,
    )


def _assertion_data(
    parsed: AssertionResponse, challenge: bytes, rp_id: str, origin: str
) -> authenticator_data.AuthenticatorData:
    """Return the authenticator's data, after all that needs no key (section 7.2)."""
    client_data.check(
        parsed.client_data_json,
        ceremony=client_data.GET,
        challenge=challenge,
        origin=origin,
    )
    data = authenticator_data.parse(parsed.authenticator_data)
    authenticator_data.check(parsed.authenticator_data, flags=data.flags, rp_id=rp_id)
    # Section 6.1: attested credential data belongs to registrations alone.
    if data.attested is not None:
        raise MalformedResponse
    return data


def _check_statement(
    parsed: RegistrationResponse, challenge: bytes, rp_id: str, origin: str
) -> None:
    """Steps 21 and 22 of section 7.1, by py_webauthn, which repeats those before.

    No root certificates are configured: a statement with certificates must be
    consistent, proves nothing about the provider, and nothing is concluded from it.
    """
    credential_id = encode_base64url(parsed.credential_id)
    try:
        verify_registration_response(
            credential={
                "id": credential_id,
                "rawId": credential_id,
                "type": "public-key",
                "response": {
                    "clientDataJSON": encode_base64url(parsed.client_data_json),
                    "attestationObject": encode_base64url(parsed.attestation_object),
                },
            },
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier.ECDSA_SHA_256],
        )
    # It leaks KeyError, IndexError, TypeError, ValueError and errors of cryptography
    # on malformed input. This boundary turns all of them into a refusal.
    except Exception as error:
        raise CeremonyFailed from error


def _check_signature(
    parsed: AssertionResponse,
    credential: CredentialRecord,
    challenge: bytes,
    rp_id: str,
    origin: str,
) -> None:
    """Step 21 of section 7.2, by py_webauthn, which repeats those before."""
    credential_id = encode_base64url(parsed.credential_id)
    try:
        verify_authentication_response(
            credential={
                "id": credential_id,
                "rawId": credential_id,
                "type": "public-key",
                "response": {
                    "clientDataJSON": encode_base64url(parsed.client_data_json),
                    "authenticatorData": encode_base64url(parsed.authenticator_data),
                    "signature": encode_base64url(parsed.signature),
                },
            },
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            credential_public_key=_cose_key(credential),
            # It refuses a counter that did not grow; the rule is ours (services, R9).
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    # As above: whatever it raises is a refusal, a stored key off the curve included.
    except Exception as error:
        raise CeremonyFailed from error


def _check_owner(
    parsed: AssertionResponse,
    credential: CredentialRecord,
    is_discovered: bool,
    allowed_credential_ids: Sequence[bytes] | None,
) -> None:
    """Steps 5 and 6 of section 7.2: the right passkey of the right person (R8)."""
    if parsed.credential_id != credential.credential_id:
        raise CeremonyFailed
    allowed = allowed_credential_ids
    if allowed is not None and parsed.credential_id not in allowed:
        raise CeremonyFailed
    if parsed.user_handle is None:
        if is_discovered:
            raise CeremonyFailed
    elif not hmac.compare_digest(parsed.user_handle, credential.user_handle):
        raise CeremonyFailed


def _cose_key(credential: CredentialRecord) -> bytes:
    return cbor2.dumps(
        {
            authenticator_data.KEY_TYPE: authenticator_data.EC2,
            authenticator_data.ALGORITHM: authenticator_data.ES256,
            authenticator_data.CURVE: authenticator_data.P256,
            authenticator_data.X: credential.public_key_x,
            authenticator_data.Y: credential.public_key_y,
        }
    )
