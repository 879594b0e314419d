"""What losing things means for this very account, on its page (product.md K-13)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.models import Credential, EmailAddress
from onchain.models import Guardian, KeyProof, Membership, Owner, Role
from tests.factories import World, make_user, make_world
from tests.onchain.services.additions import newcomer, prove
from tests.onchain.services.changes import (
    WALLET,
    add_owner,
    make_foreign,
    make_three,
)
from tests.onchain.services.guarding import WEEK, guard, prove_guardians
from tests.onchain.services.recoveries import GUARDIANS
from tests.pages import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def client(world: World) -> Client:
    return signed_in(world.wallet.user)


def signed_in(user: Any) -> Client:
    found = Client()
    found.force_login(user)
    return found


def url(world: World, said: dict[str, str] | None = None, name: str = "") -> str:
    safe = world.wallet.safe
    account = f"/safes/{safe.chain.chain_id}/{safe.address_text}"
    return f"{account}/recovery/plan/{name}?{urlencode(said or {})}"


def things(page: Page) -> list[str]:
    """Return the things that the form asks for."""
    radios = [
        each for each in page.with_attribute("name") if each.get("type") == "radio"
    ]
    return list(dict.fromkeys(each["name"] for each in radios))


def guarded(world: World) -> dict[str, str]:
    """Return the things of an account with three owners, of whom two must approve.

    Two passkeys on a device each, and a wallet; three guardians, with a week to cancel.
    """
    owners = make_three(world)
    Credential.objects.update(backup_state=False)
    prove_guardians(world, *GUARDIANS)
    guard(world, module=WEEK)
    guardians = Guardian.objects.order_by("position")
    things = {f"owner {place}": f"owner-{row.pk}" for place, row in enumerate(owners)}
    return things | {
        f"guardian {place}": f"guardian-{row.pk}" for place, row in enumerate(guardians)
    }


def test_each_thing_alone_has_a_verdict_and_leads_to_its_reasons(
    world: World, client: Client
):
    page = Page(client.get(url(world)))

    provider = f"provider-owner-{world.wallet.owner.pk}"
    assert things(page) == ["device", provider, "site"]
    for thing in things(page):
        for what in ("lost", "stolen"):
            (link,) = re.findall(rf'href="([^"]*\?{thing}={what})"', page.html)
            assert client.get(link).status_code == 200
    assert "Nothing moves before this site is back." in page.words
    assert "At best: nobody can bring it back. At worst: the thief" in page.words
    assert "Whoever has the key of one owner can send everything" in page.words
    assert "is lost. Add another signer" in page.words
    assert f'href="{url(world).replace("recovery/plan/?", "second-way/")}"' in page.html


LOST = {"owner 0": "lost", "owner 1": "lost"}
GUARDED = {"guardian 0": "stolen", "guardian 1": "stolen"}
CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    "one of three": (
        {"owner 0": "lost"},
        ["You can still send, together with the wallet 0x5757…5757."],
    ),
    "one of three of a thief": (
        {"owner 0": "stolen"},
        ["You can still send", "that is not enough for either."],
    ),
    "two of three of a thief": (
        {"owner 0": "stolen", "owner 2": "stolen"},
        ["The thief can send everything at once, and nobody can stop it."],
    ),
    "two of three": (
        LOST,
        ["You cannot send, but 2 of your", "can bring the account back in 7 days."],
    ),
    "their guardians too": (
        LOST | {"guardian 0": "lost", "guardian 1": "lost"},
        [
            "You cannot send. Nobody can bring it back. Whoever offers is a thief.",
            "Add another signer: a passkey with another provider",
        ],
    ),
    "guardians of a thief": (
        GUARDED,
        [
            "You can still send",
            "enough to begin a recovery, and to own the account 7 days later",
            "Until then it can be cancelled by 2 of your passkey",
            "Nobody is warned by mail; only who looks here sees it.",
            "Let somebody be warned when a recovery begins.",
        ],
    ),
    "guardians of a thief, and no owners": (
        LOST | GUARDED,
        ["The thief has the account in 7 days", "No owner can cancel it."],
    ),
    "no site": (
        {"site": "lost"},
        ["It is not certain.", "may itself depend on this site."],
    ),
}


def test_what_is_ticked_is_answered_for_this_account(
    world: World, client: Client, subtests: Any
):
    keys = guarded(world)
    for name, (said, sentences) in CASES.items():
        with subtests.test(name):
            ticked = {keys.get(thing, thing): what for thing, what in said.items()}
            page = Page(client.get(url(world, ticked)))
            card = Page(client.get(url(world, ticked, "card")))
            for words in sentences:
                assert words in page.words
                assert words in card.words
            checked = page.with_attribute("checked")
            assert {
                row["name"]: row["value"] for row in checked if row["value"]
            } == ticked


def test_the_address_of_the_person_opens_nothing_and_is_no_warning_then(
    world: World, client: Client
):
    guarded(world)
    EmailAddress.objects.create(
        user=world.wallet.user,
        address="alice@example.org",
        status=EmailAddress.Status.ACTIVE,
    )
    warned = "Warned by mail: you."

    assert warned in Page(client.get(url(world))).words
    page = Page(client.get(url(world, {"email": "stolen"})))

    assert "Your e-mail opens nothing here. It carries warnings only." in page.words
    assert warned not in page.words


def test_what_nobody_knows_is_said_and_not_counted_on(world: World, client: Client):
    keys = guarded(world)
    Owner.objects.filter(address=WALLET).update(proven_at=None)

    page = Page(client.get(url(world, {keys["owner 0"]: "lost"})))

    assert "It is not certain. At best: you can still send, together with" in page.words
    assert "Nobody here has seen the wallet 0x5757…5757 sign." in page.words
    assert "At worst: you cannot send, but 2 of" in page.words
    Owner.objects.filter(position=1).update(kind=Owner.Kind.WALLET, credential=None)
    every = {f"guardian {place}": "lost" for place in range(3)} | {"owner 0": "lost"}
    page = Page(client.get(url(world, {keys[each]: "lost" for each in every})))
    assert "Let every owner and guardian show here that their key signs." in page.words


def test_what_is_not_a_thing_or_no_mishap_says_nothing(world: World, client: Client):
    page = Page(client.get(url(world, {"site": "melted", "moon": "lost"})))

    assert "Each thing alone" in page.words


def test_who_only_looks_reads_of_the_owners_and_is_offered_no_change(world: World):
    viewer = make_user()
    safe = world.wallet.safe
    Membership.objects.create(
        safe=safe, user=viewer, role=Role.VIEWER, created_by=world.wallet.user
    )
    first = world.wallet.owner
    add_owner(world, WALLET)

    page = Page(signed_in(viewer).get(url(world, {f"owner-{first.pk}": "lost"})))

    assert "The owners can still send: the wallet 0x5757…5757." in page.words
    assert "owner-threshold" not in page.html
    assert "second-way" not in page.html
    assert signed_in(make_user()).get(url(world)).status_code == 404
    assert signed_in(make_user()).get(url(world, name="card")).status_code == 404


def test_what_else_moves_the_account_is_said_not_to_be_counted(
    world: World, client: Client
):
    assert "is not counted here" not in Page(client.get(url(world))).words
    make_foreign(world)

    assert "is not counted here" in Page(client.get(url(world))).words


def test_the_page_costs_the_same_whatever_the_account_has(
    world: World, client: Client, django_assert_max_num_queries
):
    with django_assert_max_num_queries(18):
        client.get(url(world))
    guarded(world)
    with django_assert_max_num_queries(18):
        client.get(url(world, {"site": "lost"}))


def test_the_pages_that_speak_of_losing_lead_here(world: World, client: Client):
    plan = url(world).rstrip("?")
    for name in ("recovery/", "owners/", "second-way/", ""):
        page = Page(client.get(plan.replace("recovery/plan/", name)))
        assert f'href="{plan}"' in page.html


def test_two_of_n_is_advised_where_one_owner_can_cancel_every_recovery(
    world: World, client: Client
):
    one = "One owner alone can cancel every recovery"
    recovery = url(world).replace("plan/?", "")
    assert one in Page(client.get(f"{recovery}set-up/")).words
    guard(world)
    assert one in Page(client.get(recovery)).words
    make_three(world)
    assert one not in Page(client.get(recovery)).words


def test_a_guardian_of_another_address_is_advised_where_all_are_passkeys_of_this_one(
    world: World, client: Client
):
    advice = "All of these are passkeys of this site’s web address."
    page = url(world).replace("plan/?", "set-up/")
    assert advice not in Page(client.get(page)).words
    prove(world, newcomer(world))
    KeyProof.objects.update(role=KeyProof.Role.GUARDIAN)
    assert advice in Page(client.get(page)).words
    prove_guardians(world, GUARDIANS[0])
    assert advice not in Page(client.get(page)).words
