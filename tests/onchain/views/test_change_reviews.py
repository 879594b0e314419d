"""The review and the progress of each change of an account, in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from onchain.change_words import STAGES, line_of
from onchain.models import Owner, UserOperation
from onchain.models.operation_states import Status
from onchain.templatetags.display import short_address
from tests.factories import World, make_world
from tests.onchain.services.changes import (
    CONTRACT,
    MODULES,
    NAMES,
    WALLET,
    add_wallet,
    change_threshold,
    make_three,
    one_of_each,
    prove_wallet,
    remove,
    set_threshold,
)
from tests.pages import Page
from tests.tampering import tamper
from tests.wallets import operation_url

pytestmark = pytest.mark.django_db
Kind = UserOperation.Kind


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def page_of(world: World, op: UserOperation) -> Page:
    client = Client()
    client.force_login(world.wallet.user)
    return Page(client.get(operation_url(op)))


SENTENCES = {
    "add a wallet": "counts as one of the 2 that must approve.",
    "add an invited passkey": "the passkey of Bob counts as one of the 2",
    "swap for a wallet": "in the place of the passkey from an unknown provider, which",
    "swap for a passkey": "After this, the passkey from an unknown provider approves in",
    "remove": "cannot approve any more, and 2 of 2 must.",
    "change the threshold": "3 of 3 must approve whatever it does.",
    "disable a module": "this module cannot move anything in this account.",
    "remove the guard": "nothing stops what the owners of this account sign.",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_review_says_first_what_is_so_afterwards(name: str):
    world = make_world()
    op = world.prepare(one_of_each(world)[name]())

    page = page_of(world, op)

    assert SENTENCES[name] in page.words
    assert page.shown("account") == world.wallet.safe.address_text
    assert STAGES[op.kind].title.format(world.wallet.safe.name) in page.words
    assert page.signed["change"]["value"] == op.kind
    assert "Authorize with passkey" in page.words


LINES = {
    "add a wallet": f"Wallet {short_address(CONTRACT)}",
    "add an invited passkey": "Passkey of Bob",
    "swap for a passkey": "Passkey from an unknown provider",
    "remove": short_address(WALLET),
    "change the threshold": "3 must approve",
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_of_a_list_begins_with_what_the_change_is_about(name: str):
    world = make_world()
    op = one_of_each(world)[name]()

    assert line_of(op) == (STAGES[op.kind].line, LINES[name])


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.DRAFT, "line"),
        (Status.SIGNED, "doing"),
        (Status.INCLUDED, "done"),
        (Status.REJECTED, "not_done"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_each_state_of_each_change_has_its_words(name: str, status: str, words: str):
    world = make_world()
    op = world.prepare(one_of_each(world)[name]())
    tamper(op, status=status, block_number=1 if status == Status.INCLUDED else None)

    page = page_of(world, op)

    assert getattr(STAGES[op.kind], words) in page.words


def test_what_goes_is_named_whole(world: World):
    owners = make_three(world)

    page = page_of(world, world.prepare(remove(world, owners[2])))

    assert page.shown("removed") == owners[2].address_text
    assert "2 of 3 must approve" in page.words
    assert page.shown("threshold") == "2 of 2 must approve"
    assert "can still put an account at this same address on other chains" in page.words


def test_a_module_that_goes_is_named_whole(world: World):
    asks = one_of_each(world)

    page = page_of(world, world.prepare(asks["disable a module"]()))

    assert page.signed["removed"]["text"].replace(" ", "") != ""
    assert page.shown("removed").lower() == f"0x{MODULES[2].hex()}"


@pytest.mark.parametrize(
    ("ask", "warning"),
    [
        (lambda world: add_wallet(world), "Whoever holds this wallet can then move"),
        (
            lambda world: change_threshold(world, 1),
            "Each owner can then move everything",
        ),
        (lambda world: change_threshold(world, 3), "All 3 owners must then approve."),
    ],
    ids=["a wallet alone", "each alone", "all of them"],
)
def test_red_stands_where_money_can_be_lost(world: World, ask: Any, warning: str):
    if "wallet" in warning:
        prove_wallet(world)
    else:
        make_three(world)

    page = page_of(world, world.prepare(ask(world)))

    assert warning in page.words
    assert "alert-error" in page.html


def test_a_contract_without_a_proof_is_said_to_be_one(world: World):
    world.node.account_codes[CONTRACT] = b"\x60"
    world.wallet.safe.owners.update(proven_at="2026-01-01T00:00Z")

    op = add_wallet(world, address=CONTRACT, is_proof_waived=True, threshold=2)
    page = page_of(world, world.prepare(op))

    assert "Nobody has shown that this contract can approve." in page.words


def test_nothing_is_red_where_nothing_can_be_lost(world: World):
    make_three(world, threshold=2)
    Owner.objects.update(kind=Owner.Kind.WALLET)
    Owner.objects.filter(position=0).update(kind=Owner.Kind.PASSKEY)
    prove_wallet(world, CONTRACT)

    page = page_of(world, world.prepare(add_wallet(world, address=CONTRACT)))

    assert "Whoever holds this" not in page.words
    assert "must then approve" not in page.words
    assert "Nobody has shown" not in page.words


def test_an_invitation_that_was_accepted_again_cannot_be_signed_for(world: World):
    asks = one_of_each(world)
    op = world.prepare(asks["add an invited passkey"]())
    op.invitation.status = "accepted"
    op.invitation.save(update_fields=["status"])

    page = page_of(world, op)

    assert "was accepted again or taken back" in page.words
    assert "signing-request" not in page.json
    assert "Authorize with passkey" not in page.words


def test_a_change_that_failed_says_that_the_account_was_not_changed(world: World):
    owners = make_three(world)
    op = remove(world, owners[2])
    set_threshold(world, 1)

    page = page_of(world, world.prepare(op))

    assert "No money moved, and the account was not changed." in page.words
    assert "The account was changed meanwhile" in page.words
