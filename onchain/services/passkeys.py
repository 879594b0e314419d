"""A passkey's answer to a 32-byte challenge, as the chain will check it.

Used for authorisations and key proofs. Sign-in is accounts' own business.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db.models.functions import Now

from accounts import webauthn
from accounts.errors import CeremonyFailed
from accounts.models import Credential, User
from accounts.services import record_of, record_use
from accounts.strict_json import encode_base64url
from onchain.errors import SignatureRefused
from onchain.models import Owner, Safe
from onchain.protocol.errors import EncodingError
from onchain.protocol.passkey_signature import (
    client_data_fields,
    parse_der_signature,
    passkey_signature,
)
from onchain.protocol.types import Bytes32


def own_owners(*, safe: Safe, user: User) -> list[Owner]:
    """Return the account's owners that are passkeys of this person."""
    owners = safe.owners.current().filter(
        credential__user=user, credential__removed_at=None
    )
    return list(owners.select_related("credential__user"))


def passkey_of(owner: Owner) -> Credential:
    """Return the passkey behind an owner.

    Raises:
        ValueError: the owner is not a passkey.
    """
    if owner.credential is None:
        raise ValueError(f"{owner} has no passkey")
    return owner.credential


def credentials_of(owners: Sequence[Owner]) -> list[Credential]:
    """Return the passkeys among owners."""
    return [owner.credential for owner in owners if owner.credential is not None]


def allow_credentials(credentials: Sequence[Credential]) -> list[dict[str, object]]:
    """Return the ``allowCredentials`` of a request to these passkeys."""
    return [
        {
            "id": encode_base64url(credential.credential_id),
            "transports": credential.transports,
        }
        for credential in credentials
    ]


def verified_signature(
    *, credentials: Sequence[Credential], response: str, challenge: Bytes32
) -> tuple[Credential, bytes]:
    """Return which passkey answered, and the signature its contract accepts.

    The credential is found by rawId among ``credentials`` (security.md R8). A response
    whose client data is in another order signs in but never on chain, so it is
    refused here, before anything is paid (R18).

    Raises:
        SignatureRefused: with words; nothing was changed.
    """
    try:
        credential = _answering(credentials, webauthn.credential_id_of(response))
        assertion = webauthn.verify_assertion(
            response=response,
            expected_challenge=challenge,
            credential=record_of(credential),
            rp_id=settings.WEBAUTHN_RP_ID,
            origin=settings.WEBAUTHN_ORIGIN,
        )
        r, s = parse_der_signature(assertion.signature)
        signature = passkey_signature(
            authenticator_data=assertion.authenticator_data,
            client_data_fields=client_data_fields(
                assertion.client_data_json, challenge
            ),
            r=r,
            s=s,
        )
    except CeremonyFailed as error:
        raise SignatureRefused(error.message) from error
    except EncodingError as error:
        raise SignatureRefused from error
    # A counter that went back is logged there and never blocks a payment (R9).
    record_use(credential=credential, verified=assertion)
    Credential.objects.filter(pk=credential.pk).update(last_signed_at=Now())
    return credential, signature


def _answering(credentials: Sequence[Credential], credential_id: bytes) -> Credential:
    for credential in credentials:
        if credential.credential_id == credential_id:
            return credential
    raise SignatureRefused("This passkey is not an owner of the account.")
