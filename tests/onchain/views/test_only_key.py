"""The notice of an account that hangs on one passkey (product.md C-23, C-26)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Credential
from onchain.models import Acknowledgement, Owner, Safe
from tests.onchain.additions import make_owner, newcomer
from tests.pages import Page

pytestmark = pytest.mark.django_db

TITLE = "One passkey is the only key to this account"
TICKED = {"understood": "on"}


def home(wallet) -> Page:
    return Page(wallet.get("safe-detail"))


APPLE = "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"  # iCloud Keychain
GOOGLE = "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"  # Google Password Manager


def links(page: Page) -> list[str]:
    return [each["href"] for each in page.with_attribute("href")]


def test_the_notice_has_one_way_out(alice):
    page = home(alice)

    assert TITLE in page.words
    assert "Add a second way in" in page.words
    assert alice.url("second-way") in links(page)


def test_a_passkey_that_only_signs_in_is_the_one_to_add(alice):
    new = newcomer(alice)

    page = Page(alice.get("second-way"))

    assert f"{new.url()}?account={alice.safe.pk}" in links(page)
    assert f"{reverse('passkeys')}#add" not in links(page)


def test_the_ways_are_a_passkey_a_person_and_recovery(alice):
    page = Page(alice.get("second-way"))

    assert "A second passkey" in page.words
    assert f"{reverse('passkeys')}#add" in links(page)
    assert alice.url("invite") in links(page)
    assert "Recovery by people you trust" in page.words
    assert alice.url("recovery") in links(page)


# C-26
@pytest.mark.parametrize(("second", "warns"), [(APPLE, True), (GOOGLE, False)])
def test_keys_that_one_provider_keeps_are_warned_of(alice, second, warns):
    new = newcomer(alice)
    make_owner(new)
    first = Credential.objects.filter(user=alice.user).exclude(pk=new.credential.pk)
    first.update(aaguid=APPLE)
    Credential.objects.filter(pk=new.credential.pk).update(aaguid=second)

    words = Page(alice.get("second-way")).words

    assert ("keeps every key of this account" in words) == warns


@pytest.mark.parametrize(
    "status", sorted(set(Safe.Status) - {Safe.Status.DEPLOYED, Safe.Status.FORMING})
)
def test_an_account_that_cannot_take_a_passkey_yet_does_not_ask_for_one(status, alice):
    Safe.objects.update(status=status)

    assert TITLE not in home(alice).words


def test_a_second_passkey_ends_it_and_its_loss_brings_it_back(alice):
    owner = make_owner(newcomer(alice))
    assert TITLE not in home(alice).words

    Owner.objects.filter(pk=owner.pk).update(is_current=False)
    assert TITLE in home(alice).words


def test_a_second_passkey_that_signs_in_no_longer_is_no_way_in(alice):
    new = newcomer(alice)
    make_owner(new)
    Credential.objects.filter(pk=new.credential.pk).update(removed_at=timezone.now())

    page = home(alice)

    assert "One passkey is the only key known here" in page.words
    assert TITLE not in page.words


def test_closed_it_stays_away_until_the_next_sign_in(alice):
    response = alice.post("only-key-later", {})

    assert response["Location"] == alice.url("safe-detail")
    assert TITLE not in home(alice).words
    assert not Acknowledgement.objects.exists()
    alice.client = Client()
    alice.client.force_login(alice.user)
    assert TITLE in home(alice).words


@pytest.mark.parametrize("data", [{}, {"understood": ""}, {"understood": "false"}])
def test_without_the_tick_nothing_is_acknowledged(data, alice):
    response = alice.post("only-key-acknowledge", data)

    page = Page(response)
    assert response.status_code == 422
    assert "Tick the box first" in page.words
    assert TITLE in page.words
    assert not Acknowledgement.objects.exists()


def test_acknowledged_it_stays_away_for_good_with_the_time(alice):
    response = alice.post("only-key-acknowledge", TICKED)

    assert response["Location"] == alice.url("safe-detail")
    said = Acknowledgement.objects.get()
    assert (said.safe, said.user) == (alice.safe, alice.user)
    assert timezone.now() - said.acknowledged_at < timedelta(minutes=1)
    alice.client = Client()
    alice.client.force_login(alice.user)
    assert TITLE not in home(alice).words


def test_twice_acknowledged_keeps_the_first_time(alice):
    alice.post("only-key-acknowledge", TICKED)
    first = Acknowledgement.objects.get().acknowledged_at

    alice.post("only-key-acknowledge", TICKED)

    assert Acknowledgement.objects.get().acknowledged_at == first


def test_the_settings_say_since_when_and_take_it_back(alice):
    assert "put the notice" not in Page(alice.get("settings")).words
    alice.post("only-key-later", {})
    alice.post("only-key-acknowledge", TICKED)
    assert "put the notice about it away" in Page(alice.get("settings")).words

    alice.post("only-key-undo", {})

    assert not Acknowledgement.objects.exists()
    assert "put the notice" not in Page(alice.get("settings")).words
    assert TITLE in home(alice).words


def test_what_is_not_so_cannot_be_acknowledged(alice):
    make_owner(newcomer(alice))

    response = alice.client.post(alice.url("only-key-acknowledge"), TICKED, follow=True)

    assert "does not hang on one passkey" in Page(response).words
    assert not Acknowledgement.objects.exists()


def test_one_person_speaks_for_nobody_else(alice, bob):
    alice.post("only-key-acknowledge", TICKED)

    assert TITLE in home(bob).words
