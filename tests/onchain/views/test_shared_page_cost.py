"""What the pages of a shared account cost: the same few queries, however many own it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onchain.models import Contact, Invitation, Membership, Role, UserOperation
from onchain.services import cancellation, new_owners, user_operations
from tests.factories import make_user
from tests.onchain.services.additions import proven_newcomer
from tests.onchain.services.changes import (
    CONTRACT,
    add_invited,
    add_owner,
    change_threshold,
    make_foreign,
    make_invitation,
    prove_wallet,
    remove,
    swap,
)
from tests.several import SharedWorld, make_shared_world
from tests.wallets import Wallet

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

MOST_QUERIES = 11
FEW, MANY = 2, 6


def make_shared(owners: int) -> SharedWorld:
    """Return an account with as many people, wallets, viewers, invitations and names."""
    world = make_shared_world(owners=owners)
    safe, user = world.wallet.safe, world.wallet.user
    for number in range(owners):
        address = bytes([0xD0 + number]) * 20
        add_owner(world, address, holder=user if number % 2 else None)
        named = {"safe": safe, "created_by": user}
        Contact.objects.create(**named, address=address, name=f"Wallet {number}")
        Membership.objects.create(**named, user=make_user(), role=Role.VIEWER)
        for status in (Invitation.Status.OPEN, Invitation.Status.CONFIRMED):
            guest = proven_newcomer(world, user=None)
            make_invitation(world, guest, status=status)
    return world


def queries(wallet: Wallet, url: str) -> int:
    """Return how many queries a page takes that was open once before."""
    assert wallet.client.get(url).status_code == 200
    with CaptureQueriesContext(connection) as taken:
        wallet.client.get(url)
    return len(taken)


def client_of(world: SharedWorld) -> Wallet:
    """Return the browser of the first of the other owners."""
    return world.others[0]


# --- The owners -------------------------------------------------------------------------


def owners_page(owners: int) -> int:
    world = make_shared(owners)
    make_foreign(world)
    change_threshold(world, 1)
    viewer = client_of(world)
    return queries(viewer, viewer.url("owners"))


def test_the_owners_page_costs_the_same_however_many_there_are():
    few = owners_page(FEW)

    assert few <= MOST_QUERIES
    assert owners_page(MANY) == few


# --- One operation ----------------------------------------------------------------------


def invited(world: SharedWorld) -> UserOperation:
    guest = proven_newcomer(world, user=None)
    return add_invited(world, make_invitation(world, guest))


def swapped(world: SharedWorld) -> UserOperation:
    prove_wallet(world, CONTRACT)
    first = world.wallet.safe.owners.order_by("position")[1]
    return swap(world, first, new_owners.wallet(address=CONTRACT))


def cancelling(world: SharedWorld) -> UserOperation:
    op = world.approve(world.prepare(world.draft()), 1)
    return cancellation.draft_cancellation(
        op=op, user=world.wallet.user, idempotency_key=uuid.uuid4()
    )


KINDS: dict[str, Callable[[SharedWorld], UserOperation]] = {
    "a payment": lambda world: world.draft(),
    "an invited owner": invited,
    "a swap": swapped,
    "a removal": lambda world: remove(world, world.wallet.safe.owners.all()[1]),
    "a cancellation": cancelling,
}


def seen(world: SharedWorld, op: UserOperation, name: str) -> int:
    return queries(client_of(world), reverse(f"onchain:{name}", args=[op.pk]))


def operation_pages(kind: str, owners: int) -> dict[str, Any]:
    """Return the cost of an operation's page at each station of its way."""
    world = make_shared(owners)
    op = world.prepare(KINDS[kind](world))
    cost = {"unsigned": seen(world, op, "operation")}
    op = world.approve(op, 0)
    cost["half approved"] = seen(world, op, "operation")
    cost["half approved, polled"] = seen(world, op, "operation-card")
    op = world.approve(op, 1)
    cost["approved"] = seen(world, op, "operation")
    return cost


@pytest.mark.parametrize("kind", KINDS)
def test_an_operation_costs_the_same_however_many_own_its_account(kind: str):
    few = operation_pages(kind, FEW)

    assert {name: count for name, count in few.items() if count > MOST_QUERIES} == {}
    assert operation_pages(kind, MANY) == few


@pytest.mark.parametrize("owners", [FEW, MANY])
def test_what_was_withdrawn_and_is_cancelled_costs_no_more(owners: int):
    world = make_shared(owners)
    op = world.approve(world.prepare())
    user_operations.withdraw(op=op)
    cancellation.draft_cancellation(
        op=world.fresh(op),
        user=world.wallet.user,
        idempotency_key=uuid.uuid4(),
    )

    assert seen(world, op, "operation") <= MOST_QUERIES
