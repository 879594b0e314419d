"""Links that ask somebody to join an account: making, opening, taking back (R62).

The token has 256 bits and stands in the link's fragment, which no browser sends; only
its hash is kept. Opening the link is a POST of somebody who is signed in. It gives the
invitation to that person and spends the token: from then on the page is theirs alone.
Nothing is given by that, since an owner has yet to confirm who opened it.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from accounts.models import User
from accounts.visible_text import visible
from onchain.errors import InvitationRefused
from onchain.models import Invitation, KeyProof, Role, Safe, Seat
from onchain.protocol.spoken_words import words_of_key, words_of_wallet
from onchain.protocol.types import Address, PublicKey
from onchain.services import memberships, roles

logger = logging.getLogger(__name__)

Status = Invitation.Status

TOKEN_BYTES = 32
LIFE = timedelta(days=7)
MOST_OPEN = 20  # of one account
NAME_CHARACTERS = 60
# Roles whose key becomes no owner: confirming them is all there is to it.
GIVES_NO_KEY = (Role.VIEWER, KeyProof.Role.GUARDIAN)
WAITING = (Status.OPEN, Status.ACCEPTED, Status.CONFIRMED)


def issue(*, safe: Safe, user: User, role: str, name: str) -> tuple[Invitation, str]:
    """Return a new invitation and the token of its link, which is kept nowhere.

    Raises:
        InvitationRefused: the person may not invite, or enough links are out.
    """
    if not roles.may_propose(safe=safe, user=user):
        raise InvitationRefused("Only an owner of this account invites people.")
    if open_of(safe=safe).filter(status=Status.OPEN).count() >= MOST_OPEN:
        raise InvitationRefused(
            f"{MOST_OPEN} invitations wait to be accepted. Take one back first."
        )
    return _create(user=user, role=role, name=name, safe=safe)


def issue_for_seat(*, seat: Seat, user: User, name: str) -> tuple[Invitation, str]:
    """Return a new invitation to a place on a forming account, and its token.

    Raises:
        InvitationRefused: somebody else makes this account.
    """
    if seat.formation.created_by_id != user.pk:
        raise InvitationRefused
    return _create(user=user, role=Role.OWNER, name=name, seat=seat)


def renew(*, invitation: Invitation) -> str:
    """Return the token of a new link for a seat; the one before it ends.

    Raises:
        InvitationRefused: somebody has opened the link.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    unopened = Invitation.objects.filter(
        pk=invitation.pk, accepted_by=None, status=Status.OPEN
    )
    if not unopened.update(token_hash=token_hash(token), expires_at=Now() + LIFE):
        raise InvitationRefused("Somebody has opened this link already.")
    return token


def _create(
    *,
    user: User,
    role: str,
    name: str,
    safe: Safe | None = None,
    seat: Seat | None = None,
) -> tuple[Invitation, str]:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation = Invitation.objects.create(
        token_hash=token_hash(token),
        safe=safe,
        seat=seat,
        role=role,
        name=visible(name, limit=NAME_CHARACTERS),
        created_by=user,
        expires_at=Now() + LIFE,
    )
    logger.info("invitation %s made", invitation.pk)
    return invitation, token


def token_hash(token: str) -> bytes:
    """Return what is kept of a token: 256 random bits need no salt, no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def open_of(*, safe: Safe) -> QuerySet[Invitation]:
    """Return an account's invitations that may still lead to something, newest first.

    One that was confirmed is over once its key is an owner, or its person a viewer; a
    guardian's page is the account's recovery from then on.
    """
    expired = Q(status=Status.OPEN, expires_at__lte=Now())
    is_done = Q(status=Status.CONFIRMED, role__in=GIVES_NO_KEY) | Q(
        status=Status.CONFIRMED,
        safe__owners__address=F("address"),
        safe__owners__is_current=True,
    )
    waiting = Invitation.objects.filter(safe=safe, status__in=WAITING)
    return waiting.exclude(expired).exclude(pk__in=waiting.filter(is_done).values("pk"))


def received_by(user: User) -> QuerySet[Invitation]:
    """Return what a person was invited to and has not come to anything yet."""
    is_current = Q(safe__owners__is_current=True)
    done = (
        Q(is_current, safe__owners__credential__user=user)
        | Q(is_current, safe__owners__holder=user)
        | Q(status=Status.CONFIRMED, role__in=GIVES_NO_KEY)
    )
    waiting = Invitation.objects.filter(accepted_by=user, status__in=WAITING)
    return (
        waiting.exclude(status=Status.OPEN, expires_at__lte=Now())
        .exclude(pk__in=waiting.filter(done).values("pk"))
        .exclude(seat__formation__status__in=["created", "cancelled"])
        .select_related("safe__chain", "seat__formation", "created_by")
    )


def take(*, token: str, user: User) -> Invitation:
    """Give the invitation of a link to who opened it; the link is spent by that.

    Of several people at once exactly one gets it. Opening it again is no harm to that
    person. Whether a link is unknown, used, taken back or too old stays untold.

    Raises:
        InvitationRefused: nothing was changed.
    """
    invitation = (
        Invitation.objects.select_related("safe", "seat__formation")
        .filter(token_hash=token_hash(token))
        .exclude(status=Status.REVOKED)
        .first()
    )
    if invitation is None:
        raise InvitationRefused
    if invitation.accepted_by_id == user.pk:
        return invitation
    _refuse_impossible(invitation, user)
    free = Invitation.objects.filter(
        pk=invitation.pk, accepted_by=None, status=Status.OPEN, expires_at__gt=Now()
    )
    if not free.update(accepted_by=user):
        raise InvitationRefused
    logger.info("user %s opened invitation %s", user.pk, invitation.pk)
    invitation.accepted_by = user
    return invitation


def _refuse_impossible(invitation: Invitation, user: User) -> None:
    if user.is_staff:
        raise InvitationRefused("An operator's passkey owns no account.")
    if invitation.created_by_id == user.pk:
        raise InvitationRefused(
            "You made this link. Send it to the person it is for, and do not open it "
            "for them."
        )
    safe = invitation.safe
    if safe is not None and roles.role_of(safe=safe, user=user) == Role.OWNER:
        raise InvitationRefused("You own this account already. Nothing was changed.")


def revoke(*, invitation: Invitation, user: User) -> None:
    """Take an invitation back; what was given by confirming it ends. Safe to repeat.

    A key that the chain has as an owner stays one: the owners remove it there.
    """
    for status in WAITING:
        if Invitation.objects.transition(
            invitation.pk, source=status, target=Status.REVOKED
        ):
            logger.info("user %s revoked invitation %s", user.pk, invitation.pk)
            if status == Status.CONFIRMED:
                forget_confirmed(invitation)


def forget_confirmed(invitation: Invitation) -> None:
    """End the role that confirming gave, where the chain has no key of the person."""
    person, safe = invitation.accepted_by, invitation.safe
    if safe is None or person is None or invitation.is_for_guardian:
        return
    current = safe.owners.current()
    if not (
        current.filter(credential__user=person) | current.filter(holder=person)
    ).exists():
        memberships.end_all(safe=safe, user=person)


def words_of(invitation: Invitation) -> tuple[str, ...]:
    """Return what both people read to each other; empty before it was accepted."""
    safe = invitation.safe
    if safe is None or invitation.accepted_at is None:
        return ()
    account = Address(safe.address)
    if invitation.public_key_x is None or invitation.public_key_y is None:
        if invitation.address is None:
            return ()
        return words_of_wallet(account=account, wallet=Address(invitation.address))
    key = PublicKey(x=invitation.public_key_x, y=invitation.public_key_y)
    return words_of_key(account=account, public_key=key)
