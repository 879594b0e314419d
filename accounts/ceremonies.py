"""Open challenges: begun here, taken once, swept when they expire (R4, R55).

A ceremony is bound to its purpose, to the session that began it and to the person who
was signed in. It is taken by one conditional DELETE, committed before anything is
verified, so that of any number of finishes exactly one goes on, also after a failure.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from accounts import options, webauthn
from accounts.errors import CeremonyExpired
from accounts.models import (
    USER_HANDLE_BYTES,
    Ceremony,
    Credential,
    Enrolment,
    User,
    generated_name,
)

logger = logging.getLogger(__name__)

Purpose = Ceremony.Purpose

# Never 32, so that no sign-in can ever be the hash of an operation (design.md, 1.6).
CHALLENGE_BYTES = 64


def begin_registration(*, session_key: str) -> dict[str, object]:
    """Open a registration for a stranger; return the options for the browser."""
    ceremony = _open(Purpose.REGISTRATION, session_key, user_handle=_new_user_handle())
    return _creation_options(ceremony, generated_name(ceremony.new_user_handle))


def begin_authentication(*, session_key: str, user: User | None) -> dict[str, object]:
    """Open an authentication for whoever is there; return the options."""
    ceremony = _open(Purpose.AUTHENTICATION, session_key, user=user)
    return options.authentication_options(
        rp_id=settings.WEBAUTHN_RP_ID,
        challenge=ceremony.challenge,
        timeout_seconds=settings.CEREMONY_SECONDS,
    )


def begin_addition(
    *, session_key: str, user: User, exclude: Iterable[Credential]
) -> dict[str, object]:
    """Open the registration of another passkey of this person; return the options."""
    ceremony = _open(
        Purpose.ADDITION, session_key, user=user, user_handle=user.user_handle
    )
    answer = _creation_options(ceremony, user.name)
    return answer | {"excludeCredentials": _descriptors(exclude)}


def begin_step_up(
    *,
    session_key: str,
    user: User,
    credentials: Sequence[Credential],
    action: str,
    target: str,
) -> dict[str, object]:
    """Open the confirmation of one action on one target by one of these passkeys."""
    ceremony = _open(
        Purpose.STEP_UP, session_key, user=user, action=action, target=target
    )
    answer = options.authentication_options(
        rp_id=settings.WEBAUTHN_RP_ID,
        challenge=ceremony.challenge,
        timeout_seconds=settings.CEREMONY_SECONDS,
    )
    return answer | {"allowCredentials": _descriptors(credentials)}


def begin_enrolment(*, session_key: str, enrolment: Enrolment) -> dict[str, object]:
    """Open the registration of an operator's key; return the options."""
    ceremony = _open(
        Purpose.ENROLMENT,
        session_key,
        enrolment=enrolment,
        user_handle=_new_user_handle(),
    )
    return _creation_options(ceremony, enrolment.operator_name)


def take(
    *,
    response: str,
    purpose: Ceremony.Purpose,
    session_key: str | None,
    user: User | None = None,
    action: str = "",
    target: str = "",
) -> Ceremony:
    """Return the open ceremony that a response answers, which nobody can use again.

    Raises:
        MalformedResponse: the response names no challenge; nothing was taken.
        CeremonyExpired: no open ceremony fits; which part did not fit stays untold.
    """
    fitting = Ceremony.objects.filter(
        challenge=webauthn.challenge_of(response),
        purpose=purpose,
        session_hash=_session_hash(session_key or ""),
        user=user,
        action=action,
        target=target,
        expires_at__gt=Now(),
    )
    # Durable: inside another transaction a rollback would revive the challenge.
    with transaction.atomic(durable=True):
        ceremony = fitting.select_related("enrolment").first()
        if ceremony is None:
            raise CeremonyExpired
        deleted, _ = fitting.filter(pk=ceremony.pk).delete()
    if deleted != 1:
        raise CeremonyExpired
    return ceremony


def sweep_expired() -> int:
    """Delete the challenges that nobody answered in time; return how many.

    Safe to repeat and to run beside ceremonies: what it deletes nobody can take.
    """
    count, _ = Ceremony.objects.filter(expires_at__lte=Now()).delete()
    if count:
        logger.info("swept %s expired ceremonies", count)
    return count


def _open(
    purpose: Ceremony.Purpose,
    session_key: str,
    *,
    user: User | None = None,
    enrolment: Enrolment | None = None,
    user_handle: bytes | None = None,
    action: str = "",
    target: str = "",
) -> Ceremony:
    return Ceremony.objects.create(
        challenge=secrets.token_bytes(CHALLENGE_BYTES),
        purpose=purpose,
        session_hash=_session_hash(session_key),
        user=user,
        enrolment=enrolment,
        user_handle=user_handle,
        action=action,
        target=target,
        expires_at=Now() + timedelta(seconds=settings.CEREMONY_SECONDS),
    )


def _creation_options(ceremony: Ceremony, user_name: str) -> dict[str, object]:
    return options.registration_options(
        rp_id=settings.WEBAUTHN_RP_ID,
        rp_name=settings.WEBAUTHN_RP_NAME,
        user_handle=ceremony.new_user_handle,
        user_name=user_name,
        challenge=ceremony.challenge,
        timeout_seconds=settings.CEREMONY_SECONDS,
        attestation=settings.ATTESTATION,
    )


def _descriptors(credentials: Iterable[Credential]) -> list[dict[str, object]]:
    return [
        options.descriptor(
            credential_id=credential.credential_id, transports=credential.transports
        )
        for credential in credentials
    ]


def _new_user_handle() -> bytes:
    """Return 64 random bytes whose generated name is free (R11)."""
    while True:
        user_handle = secrets.token_bytes(USER_HANDLE_BYTES)
        if not User.objects.filter(name=generated_name(user_handle)).exists():
            return user_handle


def _session_hash(session_key: str) -> bytes:
    # Hashed, so that reading this table does not give anybody a session.
    return hashlib.sha256(session_key.encode()).digest()
