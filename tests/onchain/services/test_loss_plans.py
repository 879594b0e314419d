"""What the rows of an account say of what can be lost of it, and what goes with it."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from accounts.models import Credential, EmailAddress, Outsider
from onchain.models import AlertContact, KeyProof, Owner
from onchain.services import loss_plans
from onchain.services.loss_planner import SITE, Key
from onchain.services.loss_plans import EMAIL, AccountPlan
from onchain.services.loss_things import DEVICE, Group
from tests.factories import World, make_user, make_world
from tests.onchain.services.additions import newcomer
from tests.onchain.services.changes import (
    WALLET,
    add_owner,
    add_passkey_owner,
    make_invitation,
    make_three,
)
from tests.onchain.services.guarding import guard, prove_guardians, read
from tests.onchain.services.recoveries import GUARDIANS

pytestmark = pytest.mark.django_db

APPLE = uuid.UUID("fbfc3007-154e-4ecc-8c0b-6e020557d7bd")
GOOGLE = uuid.UUID("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4")


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def plan_of(world: World, *, here: Credential | None = None) -> AccountPlan:
    world.wallet.safe.refresh_from_db()
    return loss_plans.plan_of(
        safe=world.wallet.safe,
        user=world.wallet.user,
        device_credential=None if here is None else here.pk,
    )


def titles(found: AccountPlan, group: Group) -> list[str]:
    return [thing.name for thing in found.things if thing.group == group]


def keep(credential: Credential, **fields: object) -> Credential:
    Credential.objects.filter(pk=credential.pk).update(**fields)
    credential.refresh_from_db()
    return credential


def owner_of(found: AccountPlan, place: int = 0) -> Key:
    return found.plan.owners[place]


def test_passkeys_of_one_provider_go_together_and_each_alone_as_well(world: World):
    first = keep(world.wallet.credential, aaguid=GOOGLE, name="Phone")
    other, _owner = add_passkey_owner(world)
    keep(other.credential, aaguid=GOOGLE, name="Laptop")

    found = plan_of(world)

    assert titles(found, Group.PROVIDER) == [
        "Your account with Google Password Manager"
    ]
    assert titles(found, Group.OWNER) == [
        "Your passkey “Phone”",
        "Your passkey “Laptop”",
    ]
    assert owner_of(found, 0).provider == owner_of(found, 1).provider
    assert owner_of(found, 0).provider in {thing.id for thing in found.things}
    keep(other.credential, aaguid=APPLE)
    apart = plan_of(world)
    assert len(titles(apart, Group.PROVIDER)) == 2
    assert titles(apart, Group.OWNER) == []  # each goes with its provider
    keep(first, aaguid=uuid.UUID(int=1))
    keep(other.credential, aaguid=uuid.UUID(int=1))
    unnamed = plan_of(world)
    assert len(titles(unnamed, Group.PROVIDER)) == 2  # nobody knows who
    keep(first, name="")
    keep(other.credential, name="")
    names = {key.name for key in plan_of(world).plan.owners}
    assert len(names) == 2, names  # told apart by their addresses


def test_what_is_on_this_device_is_known_as_far_as_the_session_knows_it(world: World):
    first = keep(world.wallet.credential, aaguid=GOOGLE)
    other, _owner = add_passkey_owner(world)
    keep(other.credential, aaguid=APPLE)
    both = frozenset({DEVICE})

    unknown = plan_of(world)
    assert [key.perhaps_on for key in unknown.plan.owners] == [both, both]
    assert titles(unknown, Group.DEVICE) == ["Your phone or computer"]

    here = plan_of(world, here=first)
    assert (owner_of(here, 0).on, owner_of(here, 1).on) == (both, frozenset())
    assert owner_of(here, 1).perhaps_on == both
    assert titles(here, Group.DEVICE) == ["This phone or computer"]

    keep(first, backup_state=False, name="Key")
    bound = plan_of(world, here=first)
    assert owner_of(bound, 0).provider is None
    assert titles(bound, Group.DEVICE) == [
        "This phone or computer, with your passkey “Key”"
    ]
    assert owner_of(bound, 1).perhaps_on == {owner_of(bound, 0).thing}
    assert len({thing.id for thing in bound.things}) == len(bound.things)
    elsewhere = plan_of(world)
    assert owner_of(elsewhere, 0).perhaps_on == frozenset()
    assert "The device or security key with your passkey “Key”" in titles(
        elsewhere, Group.OWNER
    )


def test_whom_nobody_has_seen_sign_is_not_counted_on(world: World):
    add_owner(world, WALLET, proven_at=None)
    add_owner(world, b"\x58" * 20, kind=Owner.Kind.CONTRACT)
    prove_guardians(world, GUARDIANS[0])
    guard(world)

    found = plan_of(world)

    assert [key.is_known for key in found.plan.owners] == [True, False, True]
    (recovery,) = found.plan.recoveries
    assert [key.is_known for key in recovery.guardians] == [True, False, False]
    assert (recovery.threshold, recovery.delay_seconds) == (2, 180)
    keep(world.wallet.credential, removed_at="2026-01-01T00:00Z")
    assert not owner_of(plan_of(world)).is_known


def test_guardians_count_while_the_account_lets_them_act(world: World):
    fake = guard(world)
    assert len(plan_of(world).plan.recoveries) == 1
    fake.restore(replace(fake.record, is_enabled=False))
    read(world, fake)

    assert plan_of(world).plan.recoveries == []


def test_people_are_called_by_their_names_and_keys_by_whose_they_are(world: World):
    bob = newcomer(world, user=make_user())
    make_invitation(world, bob, role=KeyProof.Role.OWNER, name="Bob")
    add_owner(world, bob.signer, credential=bob.credential, kind=Owner.Kind.PASSKEY)
    add_owner(world, WALLET, proven_at=None, kind=Owner.Kind.UNKNOWN)

    found = plan_of(world)

    assert [key.name for key in found.plan.owners[1:]] == [
        "Bob",
        "the unknown owner 0x5757…5757",
    ]
    assert [key.is_yours for key in found.plan.owners] == [True, False, False]
    assert owner_of(found, 1).provider is None  # one key is one thing
    assert titles(found, Group.OWNER)[0] == "Bob"


def test_who_is_warned_are_owners_with_an_address_and_whom_they_named(
    world: World, settings
):
    user = world.wallet.user
    EmailAddress.objects.create(
        user=user, address="a@example.org", status=EmailAddress.Status.ACTIVE
    )
    for name, status in (
        ("Anna", Outsider.Status.ACTIVE),
        ("Carl", Outsider.Status.PENDING),
    ):
        outsider = Outsider.objects.create(
            name=name, address=f"{name}@example.org", status=status
        )
        AlertContact.objects.create(
            safe=world.wallet.safe, outsider=outsider, created_by=user
        )

    found = plan_of(world)

    assert [each.name for each in found.plan.channels] == ["you", "Anna"]
    assert [thing.id for thing in found.things[-2:]] == [EMAIL, SITE]
    settings.HAS_EMAIL = False
    assert plan_of(world).plan.channels == []


def test_it_costs_the_same_queries_whatever_the_account_has(
    world: World, django_assert_max_num_queries
):
    with django_assert_max_num_queries(9):
        plan_of(world)
    make_three(world)
    prove_guardians(world, *GUARDIANS)
    guard(world)
    with django_assert_max_num_queries(9):
        assert len(plan_of(world).plan.recoveries[0].guardians) == 3
