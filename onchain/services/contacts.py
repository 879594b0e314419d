"""An account's address book: names for addresses, shared by the account's people.

A name never replaces an address. Owners write it, everybody of the account reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, OuterRef, Subquery

from accounts.models import User
from accounts.visible_text import visible
from onchain.errors import ContactRefused
from onchain.models import Contact, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.types import Address, checksum_address

NAME_CHARACTERS = 60
MOST = 1_000  # lines of one account's address book
MOST_RECENT = 5  # recipients that the form of a payment offers
ENDS = 4  # characters that people compare, at either end of an address
SENT = (Status.SUBMITTED, Status.INCLUDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """What is known here about an address that money is to go to."""

    name: str  # in the address book, empty where it is not there
    is_first_time: bool  # nothing was ever sent to it from this account
    look_alike: Address | None  # another known address with the same ends
    look_alike_name: str


def names_of(*, safe: Safe) -> dict[Address, str]:
    """Return the account's names by address."""
    rows = Contact.objects.filter(safe=safe).values_list("address", "name")
    return {Address(bytes(address)): name for address, name in rows}


def name_at(column: str) -> Subquery:
    """Return as SQL the name of the address that rows with a ``safe`` have there."""
    named = Contact.objects.filter(safe=OuterRef("safe"), address=OuterRef(column))
    return Subquery(named.values("name")[:1])


def recent_recipients(*, safe: Safe) -> list[Address]:
    """Return to whom the last confirmed payments went, newest first, each once.

    Whatever somebody else sends, or makes look like a payment, never comes in here.
    """
    paid = safe.operations.filter(
        kind=UserOperation.Kind.PAYMENT,
        status=Status.INCLUDED,
        block_number__lte=safe.chain.confirmed_number,
    )
    newest = paid.values("recipient").annotate(
        last_block=Max("block_number"), last_pk=Max("pk")
    )
    rows = newest.order_by("-last_block", "-last_pk")
    found = rows.values_list("recipient", flat=True)[:MOST_RECENT]
    return [Address(bytes(address)) for address in found]


def add(*, safe: Safe, user: User, address: Address, name: str) -> Contact:
    """Give an address a name.

    Raises:
        ContactRefused: it has one, or the book is full; nothing is changed.
    """
    with transaction.atomic():
        safe = Safe.objects.select_for_update().get(pk=safe.pk)
        known = safe.contacts.filter(address=address).first()
        if known is not None:
            raise ContactRefused(f"This address is in the book already: {known.name}.")
        if safe.contacts.count() >= MOST:
            raise ContactRefused(f"The address book is full: {MOST} addresses.")
        return Contact.objects.create(
            safe=safe, address=address, name=_shown(name), created_by=user
        )


def add_all(*, safe: Safe, user: User, names: Mapping[Address, str]) -> int:
    """Name all of these addresses, or none; return how many are new.

    An address that is in the book keeps its name.

    Raises:
        ContactRefused: the book would be too full; nothing is changed.
    """
    with transaction.atomic():
        safe = Safe.objects.select_for_update().get(pk=safe.pk)
        known = names_of(safe=safe)
        new = {key: name for key, name in names.items() if key not in known}
        if len(known) + len(new) > MOST:
            raise ContactRefused(
                f"The address book holds {MOST} addresses; nothing was added."
            )
        Contact.objects.bulk_create(
            Contact(safe=safe, address=address, name=_shown(name), created_by=user)
            for address, name in new.items()
        )
    return len(new)


def rename(*, contact: Contact, name: str) -> None:
    """Give an address another name; safe to repeat."""
    Contact.objects.filter(pk=contact.pk).update(name=_shown(name))


def remove(*, contact: Contact) -> None:
    """Forget a name; safe to repeat. What was sent stays as it was."""
    Contact.objects.filter(pk=contact.pk).delete()


def about(*, op: UserOperation) -> Recipient:
    """Return what is known of a payment's recipient: three queries at most.

    Whoever wants money to go astray makes an address whose ends look like one that is
    known, sends something from it, and waits for somebody to copy it.
    """
    names = names_of(safe=op.safe)
    recipient = Address(op.recipient)
    paid = op.safe.operations.filter(kind=UserOperation.Kind.PAYMENT, status__in=SENT)
    paid_to = set(paid.exclude(pk=op.pk).values_list("recipient", flat=True).distinct())
    known = {*names, *(Address(bytes(address)) for address in paid_to)}
    twin = next((item for item in sorted(known) if _look_alike(item, recipient)), None)
    return Recipient(
        name=names.get(recipient, ""),
        is_first_time=recipient not in paid_to,
        # A name that somebody gave it says that it is meant.
        look_alike=None if recipient in names else twin,
        look_alike_name="" if twin is None else names.get(twin, ""),
    )


def _look_alike(known: Address, address: Address) -> bool:
    """Whether two addresses differ, and not in what people compare."""
    one, other = (checksum_address(item).lower()[2:] for item in (known, address))
    same = one[:ENDS] == other[:ENDS] and one[-ENDS:] == other[-ENDS:]
    return same and one != other


def rename_account(*, safe: Safe, name: str) -> None:
    """Give an account another name, for all of its people; safe to repeat."""
    Safe.objects.filter(pk=safe.pk).update(name=_shown(name))


def _shown(name: str) -> str:
    """Return a name as one line with nothing hidden (security.md R34)."""
    return visible(name, limit=NAME_CHARACTERS)
