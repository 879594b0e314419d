"""The pages that add an account that was made elsewhere."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from onchain.models import AccountLookup, ForeignConfiguration, KeyProof, Safe
from onchain.protocol.types import checksum_address
from onchain.services import account_lookups
from tests.factories import World, make_world
from tests.onchain.services.elsewhere import (
    ACCOUNT,
    ORDINARY,
    look_up,
    place,
    prove_lookup,
)
from tests.onchain.services.happenings import follow
from tests.pages import Page

pytestmark = pytest.mark.django_db
URL = "/accounts/add/"
ADDRESS = checksum_address(ACCOUNT)
MODULE = b"\xaa" * 20


@pytest.fixture
def world(settings: object) -> World:
    return make_world()


@pytest.fixture
def client(world: World) -> Client:
    client = Client()
    client.force_login(world.wallet.user)
    return client


def card(client: Client, lookup: AccountLookup) -> Page:
    return Page(client.get(reverse("onchain:account-lookup-card", args=[lookup.pk])))


def test_an_address_is_read_by_a_worker_and_the_page_waits(client: Client):
    response = client.post(URL, {"address": ADDRESS})

    lookup = AccountLookup.objects.get()
    assert response["Location"] == reverse("onchain:account-lookup", args=[lookup.pk])
    assert lookup.status == AccountLookup.Status.READING
    answer = client.get(response["Location"])
    assert "Reading the chain" in Page(answer).text
    assert 'hx-trigger="every 1s"' in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter the account's address."),
        ("5a5a", "An address starts with 0x."),
        (ADDRESS[:-1], "this has 39"),
        (ADDRESS[:5] + "g" + ADDRESS[6:], "Character 6 cannot be part"),
        (ADDRESS.swapcase().replace("0X", "0x"), "first at character"),
    ],
)
def test_a_wrong_address_says_what_is_wrong(client: Client, typed: str, words: str):
    response = client.post(URL, {"address": typed})

    assert response.status_code == 422
    assert words in Page(response).text.replace("\u2019", "'")
    assert not AccountLookup.objects.exists()


def test_a_refusal_says_why_and_that_nothing_changed(world: World, client: Client):
    lookup = look_up(world)

    page = card(client, lookup)

    assert "There is no account at this address" in page.text
    assert "Nothing was added" in page.text


def test_what_was_found_is_shown_and_a_touch_adds_it(world: World, client: Client):
    owner = place(world)
    lookup = look_up(world)

    page = card(client, lookup)

    assert "Safe 1.4.1 with the 4337 module" in page.text
    assert "your passkey" in page.text
    assert checksum_address(owner) in page.text.replace(" ", "")
    assert page.json["signing-request"]["message"]["account"] == ADDRESS
    prove_lookup(world, lookup)
    assert "Adding it" in card(client, lookup).text
    world.node.mine()
    follow(world)
    assert account_lookups.is_added(lookup)
    assert "Open Account 2" in card(client, lookup).text


def test_an_answer_of_another_passkey_adds_nothing(world: World, client: Client):
    place(world)
    lookup = look_up(world)
    card(client, lookup)

    url = reverse("onchain:account-lookup-prove", args=[lookup.pk])
    response = client.post(url, {"credential": "{}"})

    assert response.status_code == 422
    assert "The account was not added" in Page(response).text
    assert KeyProof.objects.get().status == KeyProof.Status.OPEN


def test_what_has_power_over_it_is_red_and_hides_the_address(
    world: World, client: Client
):
    place(world, modules=[MODULE, *ORDINARY.modules])
    lookup = look_up(world)
    assert "can move everything in this account" in card(client, lookup).text
    prove_lookup(world, lookup)
    world.node.mine()
    follow(world)
    safe = Safe.objects.get(pk=lookup.safe_id)
    arguments = [safe.chain.chain_id, safe.address_text]
    receive = reverse("onchain:receive", args=arguments)

    before = Page(client.get(receive))
    seen = ForeignConfiguration.objects.get().seen_hash
    url = reverse("onchain:configuration-acknowledge", args=arguments)
    wrong = client.post(url, {"seen": "0x" + "00" * 32}, follow=True)
    right = client.post(url, {"seen": f"0x{seen.hex()}"}, follow=True)

    assert "Read this before anyone pays you" in before.text
    assert ADDRESS not in before.text.replace(" ", "")
    assert "The account was changed since" in Page(wrong).text
    assert ADDRESS in Page(right).text.replace(" ", "")
    assert client.post(url, {"seen": "0x00"}).status_code == 400
    home = Page(client.get(reverse("onchain:safe-detail", args=arguments)))
    assert "Something else has power over this account" in home.text
