"""A passkey's answer to a 32-byte challenge, as the chain will check it.

Used for authorisations and key proofs. Sign-in is accounts' own business.
"""

from __future__ import annotations

from django.conf import settings

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
    owners = safe.owners.filter(credential__user=user).select_related("credential")
    return list(owners)


def allow_credentials(owners: list[Owner]) -> list[dict[str, object]]:
    """Return the ``allowCredentials`` of a request to these owners."""
    return [
        {
            "id": encode_base64url(owner.credential.credential_id),
            "transports": owner.credential.transports,
        }
        for owner in owners
        if owner.credential is not None
    ]


def verified_signature(
    *, owners: list[Owner], response: str, challenge: Bytes32
) -> tuple[Owner, bytes]:
    """Return which owner answered, and the signature its contract accepts.

    The credential is found by rawId among ``owners`` (security.md R8). A response
    whose client data is in another order signs in but never on chain, so it is
    refused here, before anything is paid (R18).

    Raises:
        SignatureRefused: with words; nothing was changed.
    """
    try:
        credential_id = webauthn.credential_id_of(response)
        owner, credential = _owner_of(owners, credential_id)
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
    return owner, signature


def _owner_of(owners: list[Owner], credential_id: bytes) -> tuple[Owner, Credential]:
    for owner in owners:
        credential = owner.credential
        if credential is not None and credential.credential_id == credential_id:
            return owner, credential
    raise SignatureRefused("This passkey is not an owner of the account.")
