"""A person's own passkeys: another one, a name for one, an end for one.

What a passkey owns on chain is not known here; who removes one asks that first
(onchain.services.passkey_removal).
"""

from __future__ import annotations

import logging

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts import ceremonies, responses, security_events, services
from accounts.errors import CeremonyFailed, MalformedResponse, OperatorsElsewhere
from accounts.models import Ceremony, Credential, Session, User
from accounts.providers import provider_name

logger = logging.getLogger(__name__)


def name_of(credential: Credential) -> str:
    """Return what to call a passkey: the person's own name for it, or its provider."""
    return credential.name or provider_name(credential.aaguid)


def phrase_of(credential: Credential) -> str:
    """Return how a sentence names a passkey, never to be taken for its provider."""
    if credential.name:
        return f"“{credential.name}”"
    return f"The passkey ({provider_name(credential.aaguid)})"


def begin_addition(*, user: User, session_key: str) -> dict[str, object]:
    """Open the registration of another passkey of a person; return the options.

    Raises:
        OperatorsElsewhere: an operator's passkey comes from the terminal alone.
    """
    require_person(user)
    return ceremonies.begin_addition(
        session_key=session_key,
        user=user,
        # Removed ones too: their rows, and the uniqueness of their keys, still stand.
        exclude=Credential.objects.filter(user=user).order_by("pk"),
    )


def add(
    *, user: User, response: str, session_key: str | None, browser: str = ""
) -> Credential:
    """Give a person another passkey, which signs in and owns nothing yet.

    The challenge is taken first, so repeating the call changes nothing.

    Raises:
        CeremonyFailed: nothing was added; the challenge is used if it was ours.
    """
    require_person(user)
    ceremony = ceremonies.take(
        response=response,
        purpose=Ceremony.Purpose.ADDITION,
        session_key=session_key,
        user=user,
    )
    verified = services.verify_registration(response=response, ceremony=ceremony)
    try:
        with transaction.atomic():
            credential = services.add_credential(user=user, verified=verified)
            security_events.note(
                user=user,
                kind=security_events.Kind.PASSKEY_ADDED,
                detail=f"{name_of(credential)}. It signs in only, and cannot pay.",
                browser=browser,
            )
    except IntegrityError as error:
        # The same words as for a wrong signature (R10).
        raise CeremonyFailed from error
    logger.info("user %s added credential %s", user.pk, credential.pk)
    return credential


def orphan_of(response: str) -> bytes | None:
    """Return the id of a passkey that a device made and this site did not take.

    It is in the device's list all the same, until the provider hears that it opens
    nothing. None: this site knows the id, or there is none.
    """
    try:
        credential_id = responses.parse_registration(response).credential_id
    except MalformedResponse:
        return None
    is_known = Credential.objects.filter(credential_id=credential_id).exists()
    return None if is_known else credential_id


def rename(*, credential: Credential, name: str) -> None:
    """Call a passkey something else; the name was checked by its form."""
    Credential.objects.filter(pk=credential.pk).update(name=name)


def end(*, credential: Credential, is_kept: bool, browser: str = "") -> None:
    """End a passkey as a way in, and every session that it opened.

    Call it in a transaction that holds the person's row, after asking whether it may
    go. ``is_kept``: something still refers to its public key, which must not be lost.
    """
    Session.objects.filter(credential=credential).delete()
    row = Credential.objects.filter(pk=credential.pk)
    if is_kept:
        row.filter(removed_at=None).update(removed_at=Now())
    else:
        row.delete()
    security_events.note(
        user=credential.user,
        kind=security_events.Kind.PASSKEY_REMOVED,
        detail=name_of(credential),
        browser=browser,
    )
    verb = "retired" if is_kept else "deleted"
    logger.info("%s credential %s of user %s", verb, credential.pk, credential.user_id)


def require_person(user: User) -> None:
    """Refuse operators: whoever becomes one, or stays one, does so on the terminal.

    Raises:
        OperatorsElsewhere: the user is an operator.
    """
    if user.is_staff:
        raise OperatorsElsewhere
