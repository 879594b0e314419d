"""Owner, approver, viewer: what each is, and that nobody is more by an accident."""

from __future__ import annotations

import pytest
from django.utils import timezone

from onchain.models import Membership, Owner, Role, Safe
from onchain.services import roles
from tests.factories import make_user
from tests.wallets import Wallet, join, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Wallet:
    return make_wallet()


def role(wallet: Wallet) -> Role | None:
    return roles.role_of(safe=wallet.safe, user=wallet.user)


@pytest.mark.parametrize("given", list(Role))
def test_a_person_is_what_they_were_made(given, alice):
    assert role(join(alice, given)) == given


def test_a_stranger_is_nothing_and_sees_nothing(alice):
    stranger = make_user()

    assert roles.role_of(safe=alice.safe, user=stranger) is None
    assert not roles.proposable_by(stranger).exists()


def test_only_an_owner_proposes_and_only_who_has_a_key_approves(alice):
    may = {
        given: (
            roles.may_propose(safe=alice.safe, user=person.user),
            roles.may_approve(safe=alice.safe, user=person.user),
            roles.proposable_by(person.user).exists(),
        )
        for given, person in [(each, join(alice, each)) for each in Role]
    }

    assert may == {
        Role.OWNER: (True, True, True),
        Role.APPROVER: (False, True, False),
        Role.VIEWER: (False, False, False),
    }


def test_who_proved_to_hold_a_wallet_among_the_owners_is_an_owner(alice):
    user = make_user()
    Owner.objects.create(
        safe=alice.safe, holder=user, kind="wallet", address=b"\xaa" * 20, position=1
    )

    assert roles.role_of(safe=alice.safe, user=user) == Role.OWNER


def test_ending_an_approvers_role_makes_no_owner_of_them(alice):
    approver = join(alice, Role.APPROVER)

    Membership.objects.update(ended_at=timezone.now())

    assert role(approver) == Role.APPROVER


def test_an_approver_whose_key_the_chain_does_not_have_only_looks(alice):
    approver = join(alice, Role.APPROVER)

    Owner.objects.filter(credential__user=approver.user).update(is_current=False)

    assert role(approver) == Role.VIEWER


def test_a_viewer_whose_role_ended_is_a_stranger(alice):
    viewer = join(alice, Role.VIEWER)

    Membership.objects.update(ended_at=timezone.now())

    assert role(viewer) is None


def test_who_was_an_approver_and_is_asked_in_as_an_owner_is_one(alice):
    person = join(alice, Role.APPROVER)
    Membership.objects.update(ended_at=timezone.now())

    Membership.objects.create(
        safe=alice.safe, user=person.user, role=Role.OWNER, created_by=alice.user
    )

    assert role(person) == Role.OWNER


@pytest.mark.parametrize("is_ended", [False, True])
@pytest.mark.parametrize("given", list(Role))
def test_whoever_has_a_role_sees_the_account_and_nobody_else(given, is_ended, alice):
    person = join(alice, given)
    if is_ended:
        Membership.objects.update(ended_at=timezone.now())

    sees = Safe.objects.visible_to(person.user).exists()

    assert sees == (role(person) is not None)


def test_the_people_of_an_account_are_its_owners_and_then_its_viewers(alice):
    viewer, owner, approver = (
        join(alice, given) for given in (Role.VIEWER, Role.OWNER, Role.APPROVER)
    )

    people = roles.people_of(safe=alice.safe)

    assert [(person.user, person.role) for person in people] == [
        (alice.user, Role.OWNER),
        (owner.user, Role.OWNER),
        (approver.user, Role.APPROVER),
        (viewer.user, Role.VIEWER),
    ]
    for person in people:
        assert roles.role_of(safe=alice.safe, user=person.user) == person.role


def test_the_list_of_people_costs_the_same_for_many(alice, django_assert_num_queries):
    for given in [*Role, *Role]:
        join(alice, given)

    with django_assert_num_queries(2):
        roles.people_of(safe=alice.safe)
