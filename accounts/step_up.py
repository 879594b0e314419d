"""Step-up: one touch that confirms one action on one target, and nothing else (R14).

A session that somebody left open is enough to look, not to change who may come in. The
confirmation is a ceremony of its own, bound to the person, the session, the action and
the target, and spent on use. Views ask for it with ``accounts.decorators``.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import formats, timezone

from accounts import ceremonies, services, webauthn
from accounts.errors import (
    CeremonyFailed,
    CounterWentBack,
    NothingToConfirm,
    NotSettled,
)
from accounts.models import Ceremony, Credential, User

logger = logging.getLogger(__name__)

SETTLING = timedelta(hours=72)  # R14


class Action(models.TextChoices):
    """All that a step-up can confirm, in words that follow "to"."""

    ADD_PASSKEY = "add-passkey", "add a passkey"
    REMOVE_PASSKEY = "remove-passkey", "remove a passkey"
    CHANGE_EMAIL = "change-email", "change the e-mail address for alerts"
    CHANGE_WARNED = "change-warned", "change who is warned of a recovery"


def begin(
    *, user: User, session_key: str, action: Action, target: str
) -> dict[str, object]:
    """Open a confirmation; return the options, which name the person's passkeys.

    Raises:
        NothingToConfirm: the person has no passkey left that signs in.
    """
    credentials = list(_usable(user))
    # An empty allowCredentials would ask for any passkey of this site.
    if not credentials:
        raise NothingToConfirm
    return ceremonies.begin_step_up(
        session_key=session_key,
        user=user,
        credentials=credentials,
        action=action,
        target=target,
    )


def confirm(
    *,
    user: User,
    response: str,
    session_key: str | None,
    action: Action,
    target: str,
    is_settled: bool = False,
) -> Credential:
    """Return the passkey that confirmed exactly this; the challenge is spent anyway.

    ``is_settled`` asks for a passkey that was not added in the last 72 hours.

    Raises:
        CeremonyFailed: nothing is confirmed.
    """
    ceremony = ceremonies.take(
        response=response,
        purpose=Ceremony.Purpose.STEP_UP,
        session_key=session_key,
        user=user,
        action=action,
        target=target,
    )
    credentials = list(_usable(user))
    credential = _answering(credentials, webauthn.credential_id_of(response))
    verified = webauthn.verify_assertion(
        response=response,
        expected_challenge=ceremony.challenge,
        credential=services.record_of(credential),
        rp_id=settings.WEBAUTHN_RP_ID,
        origin=settings.WEBAUTHN_ORIGIN,
        allowed_credential_ids=[each.credential_id for each in credentials],
    )
    if not services.record_use(credential=credential, verified=verified):
        raise CounterWentBack(
            "This passkey's use counter went back, which can mean that a copy of it "
            "exists. Nothing was changed. Use another passkey, and check the device "
            "that holds this one."
        )
    if is_settled:
        require_settled(credential, action=action)
    logger.info("user %s confirmed %s with %s", user.pk, action, credential.pk)
    return credential


def settles_at(credential: Credential) -> datetime | None:
    """Return from when on a passkey counts like the older ones; None: it does already.

    The first passkey was never added by another one. Should it be removed, the next
    one takes its place, and that is safe: only settled passkeys remove older ones.
    """
    older = Credential.objects.filter(user=credential.user_id, pk__lt=credential.pk)
    moment = credential.created_at + SETTLING
    is_settled = moment <= timezone.now() or not older.exists()
    return None if is_settled else moment


def require_settled(credential: Credential, *, action: Action) -> None:
    """Refuse a passkey that was added less than 72 hours ago.

    Raises:
        NotSettled: with words that say from when on it may.
    """
    moment = settles_at(credential)
    if moment is not None:
        raise NotSettled(
            f"This passkey was added less than 72 hours ago, so it cannot be used to "
            f"{action.label} yet. Nothing was changed. Use an older passkey, or come "
            f"back after {formats.date_format(moment, 'j F, H:i e')}."
        )


def _usable(user: User) -> models.QuerySet[Credential]:
    return Credential.objects.of(user).usable().select_related("user")


def _answering(credentials: list[Credential], credential_id: bytes) -> Credential:
    """Return the passkey found by rawId among the person's own (R8)."""
    for credential in credentials:
        if credential.credential_id == credential_id:
            return credential
    raise CeremonyFailed
