"""What the people of an account call its owners, and each other.

Names come with the rows that they belong to, and cost no query of their own.
"""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from onchain.models import Invitation, Owner
from onchain.services import contacts


def invited_as(person: OuterRef | Coalesce) -> Coalesce:
    """Return as SQL the name on the newest invitation that a row's person took.

    Args:
        person: where the row, which has a column ``safe``, names that person.
    """
    taken = Invitation.objects.filter(safe=OuterRef("safe"), accepted_by=person)
    newest = taken.order_by("-pk").values("name")[:1]
    return Coalesce(Subquery(newest), Value(""))


def with_names(owners: QuerySet[Owner]) -> QuerySet[Owner]:
    """Return owners with their people, and with what ``name_of`` reads."""
    return owners.select_related("credential__user", "holder").annotate(
        # By names in a mapping: the type checker knows only what columns a table has.
        **{
            "invited_as": invited_as(
                Coalesce(OuterRef("credential__user"), OuterRef("holder"))
            ),
            "contact_name": Coalesce(contacts.name_at("address"), Value("")),
        }
    )


def name_of(owner: Owner) -> str:
    """Return a person's name, or the address's of nobody; empty where it has none."""
    names = vars(owner)
    if owner.person is None:
        return str(names["contact_name"])
    return str(names["invited_as"]) or owner.person.name
