"""Whom to warn when a recovery begins, beside the owners themselves (R58).

A recovery that nobody notices is a theft with a delay. So an account that has guardians
needs an owner with a verified address, or somebody outside who agreed to be warned, or
an owner who said that nobody can warn them.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import outsiders, security_events
from accounts.errors import EmailRefused
from accounts.models import EmailAddress, OutgoingMail, Outsider, SecurityEvent, User
from accounts.models.outsider import ABOUT_CHARACTERS
from accounts.visible_text import visible
from onchain.errors import AlertContactRefused
from onchain.models import AlertContact, Safe, UnwarnedAcknowledgement
from onchain.services import owner_news

logger = logging.getLogger(__name__)

MOST = 3  # of one account
ASKED_A_DAY = 6  # by one person, whatever became of them
OPEN = (Outsider.Status.PENDING, Outsider.Status.ACTIVE)


def contacts_of(*, safe: Safe) -> QuerySet[AlertContact]:
    """Return who is warned, or asked, or declined, oldest first."""
    found = AlertContact.objects.filter(safe=safe).select_related("outsider")
    return found.exclude(outsider__status=Outsider.Status.ENDED)


@transaction.atomic
def add(*, safe: Safe, user: User, name: str, address: str) -> AlertContact:
    """Name somebody to warn; a mail asks whether they agree.

    Raises:
        AlertContactRefused: with words; nothing was changed and no mail goes out.
    """
    Safe.objects.select_for_update(no_key=True).get(pk=safe.pk)
    known = contacts_of(safe=safe).filter(outsider__status__in=OPEN)
    if known.count() >= MOST:
        raise AlertContactRefused(f"An account has at most {MOST} alert contacts.")
    if known.filter(outsider__address__iexact=address).exists():
        raise AlertContactRefused("This address is an alert contact already.")
    since = timezone.now() - timedelta(days=1)
    asked = AlertContact.objects.filter(created_by=user, created_at__gt=since)
    if asked.count() >= ASKED_A_DAY:
        raise AlertContactRefused(
            f"You named {ASKED_A_DAY} people today. Name others tomorrow."
        )
    about = (
        f"the account {visible(safe.name, limit=60)} of {visible(user.name, limit=60)}"
    )
    try:
        outsider = outsiders.ask(
            name=name, address=address, about=about[:ABOUT_CHARACTERS]
        )
    except EmailRefused as error:
        raise AlertContactRefused(str(error)) from None
    contact = AlertContact.objects.create(safe=safe, outsider=outsider, created_by=user)
    _tell(safe, user, f"{name} was named as somebody to warn.")
    return contact


@transaction.atomic
def remove(*, contact: AlertContact, user: User) -> None:
    """Warn somebody no longer. They and every owner hear of it. Safe to repeat."""
    if outsiders.end(outsider=contact.outsider):
        words = f"{contact.outsider.name} is not warned any more."
        _tell(contact.safe, user, words)


def warn(*, safe: Safe, notice: OutgoingMail.Notice, detail: str) -> int:
    """Queue a warning to everybody who agreed; return to how many.

    Call it in the transaction of what it tells of.
    """
    agreed = contacts_of(safe=safe).filter(outsider__status=Outsider.Status.ACTIVE)
    found = [contact.outsider for contact in agreed]
    for outsider in found:
        outsiders.warn(outsider=outsider, notice=notice, detail=detail)
    return len(found)


def can_be_warned(*, safe: Safe) -> bool:
    """Whether a mail about the account reaches an owner, or somebody who agreed."""
    agreed = contacts_of(safe=safe).filter(outsider__status=Outsider.Status.ACTIVE)
    reached = EmailAddress.objects.filter(
        user__in=owner_news.signing(safe), status=EmailAddress.Status.ACTIVE
    )
    return agreed.exists() or reached.exists()


def is_settled(*, safe: Safe) -> bool:
    """Whether somebody can be warned, or an owner said that nobody can."""
    said = UnwarnedAcknowledgement.objects.filter(
        safe=safe, user__in=owner_news.signing(safe)
    )
    return can_be_warned(safe=safe) or said.exists()


def acknowledge(*, safe: Safe, user: User) -> None:
    """Remember that the person said that nobody can warn them. Safe to repeat."""
    UnwarnedAcknowledgement.objects.get_or_create(safe=safe, user=user)


def _tell(safe: Safe, user: User, words: str) -> None:
    """Tell every owner: who wants to recover it in silence begins here."""
    logger.info("alert contacts of safe %s changed by user %s", safe.pk, user.pk)
    name = visible(safe.name, limit=50)
    for person in dict.fromkeys([user, *owner_news.signing(safe)]):
        security_events.note(
            user=person,
            kind=SecurityEvent.Kind.ALERT_CONTACT,
            detail=f"{name}: {words}",
        )
