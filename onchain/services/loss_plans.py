"""An account as ``loss_planner`` looks at it, from the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Prefetch

from accounts.models import EmailAddress, Outsider, User
from accounts.visible_text import visible
from onchain.models import Guardian, Owner, RecoverySetup, Safe
from onchain.protocol.types import Address
from onchain.services import alert_contacts, guardian_names, loss_things, owner_names
from onchain.services.loss_planner import SITE, Channel, Plan, Recovery
from onchain.services.loss_things import NAME_CHARACTERS, Group, Line, Thing

EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """What decides over an account, and everything of it that can be lost."""

    plan: Plan
    things: Sequence[Thing]

    @property
    def is_yours(self) -> bool:
        """Whether a key of the person who looks owns the account."""
        return any(key.is_yours for key in self.plan.owners)


def plan_of(
    *, safe: Safe, user: User, device_credential: int | None = None
) -> AccountPlan:
    """Return an account as it is planned for, in the same few queries whatever it has.

    Args:
        device_credential: the passkey that is known to be on the device that is used.
    """
    owners = list(owner_names.with_names(safe.owners.current()).order_by("position"))
    setups = _setups(safe)
    guardians = [row for setup in setups for row in setup.guardians.all()]
    lines = [
        *_owner_lines(owners, user),
        *_guardian_lines(safe, guardians, user),
    ]
    here = loss_things.on_this_device(lines, device_credential)
    keys = loss_things.keys_of(lines, here=here)
    channels = _channels(safe, user, owners)
    plan = Plan(
        owners=[keys[f"owner-{row.pk}"] for row in owners],
        threshold=safe.threshold,
        recoveries=[
            Recovery(
                guardians=[keys[f"guardian-{row.pk}"] for row in setup.guardians.all()],
                threshold=setup.threshold,
                delay_seconds=setup.delay_seconds or 0,
            )
            for setup in setups
        ],
        channels=channels,
    )
    things = loss_things.things_of(lines, keys, here=here)
    if any(channel.thing == EMAIL for channel in channels):
        things.append(Thing(id=EMAIL, group=Group.EMAIL, name="Your e-mail"))
    things.append(Thing(id=SITE, group=Group.SITE, name="This site’s web address"))
    return AccountPlan(plan=plan, things=things)


# --- Rows -----------------------------------------------------------------------------


def _setups(safe: Safe) -> list[RecoverySetup]:
    current = Guardian.objects.current().select_related("credential__user", "holder")
    rows = safe.recovery_setups.filter(is_enabled=True, threshold__gt=0)
    found = Prefetch("guardians", current.order_by("position"))
    return list(rows.prefetch_related(found).order_by("pk"))


def _owner_lines(owners: Sequence[Owner], user: User) -> list[Line]:
    return [
        Line(
            row=row,
            thing=f"owner-{row.pk}",
            group=Group.OWNER,
            is_known=row.can_sign,
            is_yours=row.person == user,
            given=owner_names.name_of(row),
        )
        for row in owners
    ]


def _guardian_lines(
    safe: Safe, guardians: Sequence[Guardian], user: User
) -> list[Line]:
    addresses = list(dict.fromkeys(Address(row.address) for row in guardians))
    named = {
        each.address: each.name
        for each in guardian_names.named(safe=safe, addresses=addresses)
    }
    return [
        Line(
            row=row,
            thing=f"guardian-{row.pk}",
            group=Group.GUARDIAN,
            is_known=row.proven_at is not None
            and (row.person is None or row.person.is_active)
            and (row.credential is None or row.credential.removed_at is None),
            is_yours=row.person == user,
            given=named[Address(row.address)],
        )
        for row in guardians
    ]


def _channels(safe: Safe, user: User, owners: Sequence[Owner]) -> list[Channel]:
    """Return who is mailed when a recovery begins: owners, and whom they named."""
    if not settings.HAS_EMAIL:
        return []
    people = {row.person.pk for row in owners if row.person is not None}
    reached = EmailAddress.objects.filter(
        user__in=people, status=EmailAddress.Status.ACTIVE
    ).select_related("user")
    agreed = alert_contacts.contacts_of(safe=safe).filter(
        outsider__status=Outsider.Status.ACTIVE
    )
    names = {row.person.pk: owner_names.name_of(row) for row in owners if row.person}
    return [
        Channel(name="you", thing=EMAIL)
        if row.user_id == user.pk
        else Channel(name=visible(names[row.user_id], limit=NAME_CHARACTERS))
        for row in reached.order_by("pk")
    ] + [
        Channel(name=visible(row.outsider.name, limit=NAME_CHARACTERS))
        for row in agreed
    ]
