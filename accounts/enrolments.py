"""Links that make an operator's key: printed on the terminal, used once (R62).

This is the only way in which anybody becomes staff. The link carries its token in the
fragment (``/admin/enrol#...``): browsers never send a fragment, so the token reaches no
log, no proxy and no Referer; the page's script posts it in the body. Only its hash is
stored, and it holds for 15 minutes.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts import ceremonies, services
from accounts.errors import CeremonyFailed, EnrolmentRefused
from accounts.models import Ceremony, Credential, Enrolment, User

logger = logging.getLogger(__name__)

TOKEN_BYTES = 32
LIFE = timedelta(minutes=15)


def issue(*, name: str, replace: bool) -> str:
    """Return the token of a new link for an operator; older links of theirs end.

    Raises:
        EnrolmentRefused: the name is a person's, or the operator has a key and
            ``replace`` was not asked for.
    """
    _check_name(name, replace=replace)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        Enrolment.objects.filter(operator_name=name, used_at=None).delete()
        Enrolment.objects.create(
            token_hash=_token_hash(token),
            operator_name=name,
            is_replacement=replace,
            expires_at=Now() + LIFE,
        )
    logger.info("printed an enrolment link for an operator")
    return token


def find(token: str) -> Enrolment:
    """Return the open enrolment of a token.

    Raises:
        EnrolmentRefused: unknown, used, expired or replaced.
    """
    enrolment = Enrolment.objects.filter(
        token_hash=_token_hash(token), used_at=None, expires_at__gt=Now()
    ).first()
    if enrolment is None:
        raise EnrolmentRefused
    return enrolment


def enrol(*, response: str, token: str, session_key: str | None) -> Credential:
    """Give an operator the passkey that answers, and return it.

    The operator's old one ends if the link says so. The link is spent in the same
    transaction that stores the key: a failed ceremony leaves it usable, a finished one
    does not.

    Raises:
        CeremonyFailed: nothing was made; the challenge is used if it was ours.
    """
    enrolment = find(token)
    ceremony = ceremonies.take(
        response=response,
        purpose=Ceremony.Purpose.ENROLMENT,
        session_key=session_key,
    )
    if ceremony.enrolment_id != enrolment.pk:
        raise EnrolmentRefused
    verified = services.verify_registration(response=response, ceremony=ceremony)
    try:
        with transaction.atomic():
            _spend(enrolment)
            operator = _operator_of(enrolment, ceremony.new_user_handle)
            credential = services.add_credential(user=operator, verified=verified)
    except IntegrityError as error:
        raise CeremonyFailed from error
    logger.info("operator %s enrolled a key", operator.pk)
    return credential


def _check_name(name: str, *, replace: bool) -> None:
    """Refuse names of people, and operators with a key unless it is to be replaced."""
    user = User.objects.filter(name=name).first()
    if user is None:
        return
    if not user.is_staff:
        raise EnrolmentRefused(f"{name} is a person. People cannot become operators.")
    if user.credentials.exists() and not replace:
        raise EnrolmentRefused(
            f"{name} has a key. Use --replace to end it and every session of {name}."
        )


def _spend(enrolment: Enrolment) -> None:
    """Mark the link used; of several at once exactly one succeeds."""
    is_spent = Enrolment.objects.filter(
        pk=enrolment.pk, used_at=None, expires_at__gt=Now()
    ).update(used_at=Now())
    if not is_spent:
        raise EnrolmentRefused


def _operator_of(enrolment: Enrolment, user_handle: bytes) -> User:
    """Return the operator without any key, made now or stripped of the old one.

    The passkey carries this ceremony's handle, so a returning operator gets it too.
    """
    name = enrolment.operator_name
    _check_name(name, replace=enrolment.is_replacement)
    operator = User.objects.filter(name=name).first()
    if operator is None:
        return User.objects.create_operator(user_handle=user_handle, name=name)
    Credential.objects.filter(user=operator).delete()
    User.objects.filter(pk=operator.pk).update(
        user_handle=user_handle, session_epoch=F("session_epoch") + 1
    )
    operator.refresh_from_db()
    return operator


def _token_hash(token: str) -> bytes:
    # 256 random bits need no salt and no slow hash.
    return hashlib.sha256(token.encode()).digest()
