"""The address for alerts: asked for, verified by a link, in force at once or later.

E-mail never signs in, recovers, approves or cancels anything here (R61). A first
address takes effect when its link is confirmed. A change or a removal takes 72 hours,
with notices to both addresses, and can be called off until then by whoever is signed
in: somebody who took over a session for a while cannot silence the alerts unnoticed.

The states stand in ``models/email.py``. Everything that changes a person's addresses
runs under a lock on that person's row, so two changes at once come one after the other.
All times are the database's.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts import email_links, security_events
from accounts.errors import EmailLinkRefused, EmailRefused
from accounts.models import EmailAddress, SecurityEvent, User

logger = logging.getLogger(__name__)

Kind = SecurityEvent.Kind
Status = EmailAddress.Status
ON_ITS_WAY = (Status.PENDING, Status.WAITING)

SETTLING = timedelta(hours=72)  # R61
KEPT_FOR = timedelta(days=30)  # addresses that are no longer used


def addresses_of(user: User) -> tuple[EmailAddress | None, EmailAddress | None]:
    """Return the address that gets the alerts, and the one that is on its way."""
    rows = EmailAddress.objects.filter(
        user=user, status__in=[Status.ACTIVE, *ON_ITS_WAY]
    )
    by_state = {row.status == Status.ACTIVE: row for row in rows}
    return by_state.get(True), by_state.get(False)


# --- Asking for an address ------------------------------------------------------------


@transaction.atomic
def ask(*, user: User, address: str) -> None:
    """Take an address that is to get the alerts; a mail with a link is queued.

    One that was on its way is called off, with notices if it had been verified.

    Raises:
        EmailRefused: no mail goes out and nothing was changed; words say why.
    """
    _lock(user)
    active, coming = addresses_of(user)
    if active is not None and _are_same(active.address, address):
        raise EmailRefused("This address gets the alerts already.")
    if coming is not None and _are_same(coming.address, address):
        if coming.status == Status.WAITING:
            raise EmailRefused("This address is confirmed already.")
        email_links.queue(coming)
        return
    if coming is not None:
        _call_off(user, active, coming)
    coming = EmailAddress.objects.create(user=user, address=address)
    email_links.queue(coming)
    logger.info("user %s asked for e-mail address %s", user.pk, coming.pk)


@transaction.atomic
def ask_again(*, user: User) -> None:
    """Queue another mail with a link; the link of the one before ends.

    Raises:
        EmailRefused: no mail goes out and nothing was changed; words say why.
    """
    _lock(user)
    _active, coming = addresses_of(user)
    if coming is None or coming.status != Status.PENDING:
        raise EmailRefused("No address waits for its link any more.")
    email_links.queue(coming)


@transaction.atomic
def verify(*, user: User, token: str, browser: str) -> EmailAddress:
    """Confirm the address of a link, once, by the person who asked for it.

    Raises:
        EmailLinkRefused: unknown, used, expired, replaced or somebody else's.
    """
    _lock(user)
    fitting = EmailAddress.objects.filter(
        user=user,
        status=Status.PENDING,
        token_hash=email_links.token_hash(token),
        token_expires_at__gt=Now(),
    )
    found = fitting.first()
    if found is None:
        raise EmailLinkRefused
    active, _coming = addresses_of(user)
    used = {"token_hash": None, "token_expires_at": None, "verified_at": Now()}
    if active is None:
        fitting.update(status=Status.ACTIVE, **used)
        detail = "It is the first one, so it gets the alerts from now on."
        security_events.note(
            user=user, kind=Kind.EMAIL_CHANGED, detail=detail, browser=browser
        )
    else:
        fitting.update(status=Status.WAITING, effective_at=Now() + SETTLING, **used)
        found.refresh_from_db()
        # A removal under way gives place to the change, which takes its own time.
        EmailAddress.objects.filter(pk=active.pk).update(ends_at=found.effective_at)
        security_events.note(
            user=user,
            kind=Kind.EMAIL_ASKED,
            detail=f"It takes effect on {_moment(found.effective_at)}.",
            browser=browser,
            also=[found],
        )
    found.refresh_from_db()
    logger.info("user %s verified e-mail address %s", user.pk, found.pk)
    return found


# --- Ending one -----------------------------------------------------------------------


@transaction.atomic
def remove(*, user: User, browser: str) -> None:
    """Let the address end in 72 hours, and tell it so. Safe to repeat.

    Raises:
        EmailRefused: there is none, or another one is about to take its place.
    """
    _lock(user)
    active, coming = addresses_of(user)
    if active is None:
        raise EmailRefused("No address gets the alerts.")
    if coming is not None and coming.status == Status.WAITING:
        raise EmailRefused("Another address takes its place soon. Call that off first.")
    if active.ends_at is not None:
        return
    EmailAddress.objects.filter(pk=active.pk).update(ends_at=Now() + SETTLING)
    active.refresh_from_db()
    security_events.note(
        user=user,
        kind=Kind.EMAIL_REMOVED,
        detail=f"It gets alerts until {_moment(active.ends_at)}.",
        browser=browser,
    )


@transaction.atomic
def keep(*, user: User, browser: str) -> bool:
    """Call off a change or a removal; return whether there was one. Safe to repeat."""
    _lock(user)
    active, coming = addresses_of(user)
    if active is None or active.ends_at is None:
        return False
    if coming is not None and coming.status == Status.WAITING:
        _call_off(user, active, coming, browser=browser)
        return True
    EmailAddress.objects.filter(pk=active.pk).update(ends_at=None)
    security_events.note(user=user, kind=Kind.EMAIL_KEPT, browser=browser)
    return True


@transaction.atomic
def cancel(*, user: User) -> None:
    """Forget an address whose link nobody has confirmed. Safe to repeat."""
    _lock(user)
    active, coming = addresses_of(user)
    if coming is not None and coming.status == Status.PENDING:
        _call_off(user, active, coming)


# --- What time does -------------------------------------------------------------------


def apply_due() -> int:
    """Let changes and removals take effect in time; return of how many people.

    Safe to repeat and to run many times at once.
    """
    due = EmailAddress.objects.filter(
        Q(status=Status.WAITING, effective_at__lte=Now())
        | Q(status=Status.ACTIVE, ends_at__lte=Now())
    )
    people = User.objects.filter(pk__in=due.values("user"))
    return sum(_apply_due(user) for user in people)


@transaction.atomic
def _apply_due(user: User) -> bool:
    _lock(user)
    own = EmailAddress.objects.filter(user=user)
    ending = own.filter(status=Status.ACTIVE, ends_at__lte=Now()).first()
    coming = own.filter(status=Status.WAITING, effective_at__lte=Now()).first()
    if ending is None and coming is None:
        return False  # another run was here first
    if ending is not None:
        EmailAddress.objects.filter(pk=ending.pk).update(status=Status.ENDED)
    if coming is not None:
        EmailAddress.objects.filter(pk=coming.pk).update(status=Status.ACTIVE)
        detail = "The alerts go to the new one from now on."
    else:
        detail = "It was removed. Alerts are no longer mailed."
    security_events.note(
        user=user,
        kind=Kind.EMAIL_CHANGED,
        detail=detail,
        also=[] if ending is None else [ending],
    )
    logger.info("the e-mail address of user %s changed", user.pk)
    return True


def forget_old() -> None:
    """Delete addresses that nobody uses, with their mails. Safe to repeat."""
    old = Now() - KEPT_FOR
    EmailAddress.objects.filter(
        Q(status=Status.ENDED, ends_at__lte=old)
        | Q(status=Status.CANCELLED, created_at__lte=old)
        | Q(status=Status.PENDING, token_expires_at__lte=old)
    ).delete()


# --- What the page says ---------------------------------------------------------------


def page_context(user: User) -> dict[str, Any]:
    """Return what the section of the passkeys page says about the address."""
    active, coming = addresses_of(user)
    pending = coming if coming and coming.status == Status.PENDING else None
    return {
        "email_is_offered": settings.HAS_EMAIL,
        "email_active": active,
        "email_waiting": coming if pending is None else None,
        "email_pending": pending,
        "email_link": None if pending is None else email_links.state_of(pending),
    }


# --- Parts ----------------------------------------------------------------------------


def _lock(user: User) -> None:
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _are_same(one: str, other: str) -> bool:
    """Say whether two addresses reach one mailbox as far as letter case goes."""
    return one.casefold() == other.casefold()


def _call_off(
    user: User,
    active: EmailAddress | None,
    coming: EmailAddress,
    *,
    browser: str = "",
) -> None:
    """End what is on its way; if it was verified, both addresses hear of it."""
    was_waiting = coming.status == Status.WAITING
    EmailAddress.objects.filter(pk=coming.pk).update(
        status=Status.CANCELLED, token_hash=None, token_expires_at=None
    )
    if not was_waiting:
        return
    if active is not None:
        EmailAddress.objects.filter(pk=active.pk).update(ends_at=None)
    security_events.note(
        user=user, kind=Kind.EMAIL_KEPT, browser=browser, also=[coming]
    )


def _moment(moment: datetime | None) -> str:
    if moment is None:
        raise TypeError("no moment was set")
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC"
