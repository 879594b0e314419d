"""What each person may do with an account: owner, approver or viewer.

The chain knows owners only. Here an approver's key approves what others propose, and a
viewer has no key in the account. The newest membership row of a person says which;
without one, holding a current owner is to be an owner. An approver's row that ended
still says approver while the key is an owner on chain: taking a role away never makes
anybody more than they were.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import (
    Case,
    CharField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.lookups import Exact

from accounts.models import User
from onchain.models import Membership, Owner, Role, Safe
from onchain.services import owner_names

NOBODY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPerson:
    """One person of an account, with the keys that the chain has of them."""

    user: User
    role: Role
    invited_as: str  # the name on their invitation; empty: nobody invited them
    owners: tuple[Owner, ...]
    membership: Membership | None  # of a role that an owner gave and can end
    since: datetime | None


def with_role(safes: QuerySet[Safe], *, user: User) -> QuerySet[Safe]:
    """Return the accounts, each with what this person may do there in ``role``.

    Empty text means nothing at all. It costs no query of its own.
    """
    # By a name in a mapping: the type checker knows only what columns a table has.
    return safes.annotate(**{"role": role_expression(user=user)})


def role_expression(*, user: User, safe: str = "pk") -> Case:
    """Return the role as SQL, for rows whose column ``safe`` names the account."""
    rows = Membership.objects.filter(safe=OuterRef(safe), user=user)
    newest = Subquery(rows.order_by("-pk").values("role")[:1])
    held = Owner.objects.current().filter(
        Q(credential__user=user) | Q(holder=user), safe=OuterRef(safe)
    )
    return Case(
        When(
            Q(Exists(held)) & Q(Exact(newest, Value(Role.APPROVER.value))),
            then=Value(Role.APPROVER.value),
        ),
        When(Exists(held), then=Value(Role.OWNER.value)),
        When(Exists(rows.filter(ended_at=None)), then=Value(Role.VIEWER.value)),
        default=Value(NOBODY),
        output_field=CharField(),
    )


def role_of(*, safe: Safe, user: User) -> Role | None:
    """Return what the person is on this account; None: a stranger."""
    text = with_role(Safe.objects.filter(pk=safe.pk), user=user).get().role
    return Role(text) if text else None


def may_propose(*, safe: Safe, user: User) -> bool:
    """Whether the person may ask for payments and changes; an owner may."""
    return role_of(safe=safe, user=user) == Role.OWNER


def may_approve(*, safe: Safe, user: User) -> bool:
    """Whether the person's key may sign what is asked for."""
    return role_of(safe=safe, user=user) in {Role.OWNER, Role.APPROVER}


def proposable_by(user: User) -> QuerySet[Safe]:
    """Return the accounts on which the person may propose."""
    visible = Safe.objects.visible_to(user)
    return visible.filter(Exact(role_expression(user=user), Value(Role.OWNER.value)))


def people_of(
    *, safe: Safe, owners: Iterable[Owner] | None = None
) -> list[AccountPerson]:
    """Return the account's people: owners in the order of the chain, then viewers.

    Owners whom nobody on this site holds are not people. Two queries, or one with
    the account's current owners given, which ``owner_names.with_names`` must have been
    loaded with.
    """
    if owners is None:
        owners = owner_names.with_names(safe.owners.current())
    held: dict[User, list[Owner]] = {}
    names: dict[int, str] = {}
    for owner in owners:
        if owner.person is not None:
            held.setdefault(owner.person, []).append(owner)
            names[owner.person.pk] = vars(owner)["invited_as"]
    newest: dict[User, Membership] = {}
    rows = safe.memberships.annotate(
        invited_as=owner_names.invited_as(OuterRef("user"))
    )
    for row in rows.select_related("user").order_by("pk"):
        newest[row.user] = row
        names[row.user.pk] = vars(row)["invited_as"]
    viewers = [user for user, row in newest.items() if row.ended_at is None]
    people = dict.fromkeys([*held, *viewers])
    return [
        _person(user, held.get(user, []), newest.get(user), names.get(user.pk, ""))
        for user in people
    ]


def _person(
    user: User, owners: list[Owner], row: Membership | None, name: str
) -> AccountPerson:
    role = Role.OWNER if owners else Role.VIEWER
    if owners and row is not None and row.role == Role.APPROVER:
        role = Role.APPROVER
    since = row.created_at if row is not None else None
    if owners:
        since = min(owner.created_at for owner in owners)
    return AccountPerson(
        user=user,
        role=role,
        invited_as=name,
        owners=tuple(owners),
        membership=row if row is not None and row.ended_at is None else None,
        since=since,
    )
