"""What passkeys really signed, read back from stored signatures for whoever looks.

Source of the layout: https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.conf import settings

from accounts.credentials import name_of
from onchain.models import OperationSignature, UserOperation
from onchain.protocol.errors import EncodingError
from onchain.protocol.passkey_signature import (
    client_data_json,
    decode_passkey_signature,
)
from onchain.services import signatories
from onchain.services.authenticator_flags import Flag, flags_of
from onchain.services.signatories import Signatories


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureDetails:
    """One passkey's answer to the SafeOp hash."""

    signer: str  # the passkey's name
    rp_id: str
    is_of_this_site: bool  # whether rpIdHash is SHA-256 of ``rp_id``
    flags: list[Flag]
    sign_count: int
    client_data: str  # clientDataJSON as the chain rebuilds it
    authenticator_data: bytes


def details_of(
    op: UserOperation, known: Signatories | None = None
) -> list[SignatureDetails]:
    """Return the answers of passkeys that an operation holds; others are left out.

    Args:
        known: who signed, where the caller has read it.
    """
    if op.safe_operation_hash is None or op.signed_at is None:
        return []
    signatures = (signatories.of(op) if known is None else known).signatures
    found = (_details(op, signature) for signature in signatures)
    return [details for details in found if details is not None]


def _details(
    op: UserOperation, signature: OperationSignature
) -> SignatureDetails | None:
    credential = signature.owner.credential
    if credential is None or op.safe_operation_hash is None:
        return None
    try:
        data, fields = decode_passkey_signature(bytes(signature.signature))
        client_data = client_data_json(
            challenge=op.safe_operation_hash, client_data_fields=fields
        )
    except EncodingError:
        return None  # a row that somebody changed is not sent either
    rp_id = settings.WEBAUTHN_RP_ID
    return SignatureDetails(
        signer=name_of(credential),
        rp_id=rp_id,
        is_of_this_site=data[:32] == hashlib.sha256(rp_id.encode()).digest(),
        flags=flags_of(data[32]),
        sign_count=int.from_bytes(data[33:37], "big"),
        client_data=client_data.decode(errors="replace"),
        authenticator_data=data,
    )
