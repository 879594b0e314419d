"""The page that opens one more account."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from onchain.models import Safe
from tests.factories import make_credential, make_operator
from tests.pages import Page
from tests.wallets import Wallet, make_wallet

pytestmark = pytest.mark.django_db
URL = "/accounts/new/"


@pytest.fixture
def alice() -> Wallet:
    return make_wallet()


def posted(wallet: Wallet, **changes: Any) -> dict[str, Any]:
    fields = {
        "name": "Savings",
        "passkey": wallet.user.credentials.get().pk,
        "set_up_by": "self",
        "idempotency_key": uuid.uuid4(),
    }
    return fields | changes


def test_the_form_says_that_one_passkey_links_its_accounts(alice: Wallet):
    response = alice.client.get(URL)

    assert response.status_code == 200
    text = Page(response).text
    assert "Create another account" in text
    assert "can be linked publicly" in text
    assert "I pay for setting it up" in text


def test_it_opens_an_account_that_waits_for_its_first_payment(alice: Wallet):
    response = alice.client.post(URL, posted(alice))

    safe = Safe.objects.get(name="Savings")
    arguments = [safe.chain.chain_id, safe.address_text]
    assert response.status_code == 302
    assert response["Location"] == reverse("onchain:safe-detail", args=arguments)
    assert (safe.layout, safe.deployment_requested_at) == ("shared", None)
    page = Page(alice.client.get(response["Location"]))
    assert "Waits for your first payment" in page.text
    assert "Setting up" not in page.text


def test_it_opens_an_account_that_this_site_sets_up(alice: Wallet):
    alice.client.post(URL, posted(alice, set_up_by="site"))

    safe = Safe.objects.get(name="Savings")
    assert (safe.layout, safe.salt_nonce) == ("direct", 1)
    assert safe.network_hash is not None


def test_a_double_click_opens_one(alice: Wallet):
    fields = posted(alice)

    first = alice.client.post(URL, fields)
    second = alice.client.post(URL, fields)

    assert first["Location"] == second["Location"]
    assert Safe.objects.count() == 2


WRONG = {
    "no name": {"name": " "},
    "a long name": {"name": "x" * 61},
    "no passkey": {"passkey": ""},
    "nobody to set it up": {"set_up_by": "them"},
    "no key": {"idempotency_key": ""},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_and_nothing_is_opened(
    alice: Wallet, changes: dict[str, Any]
):
    response = alice.client.post(URL, posted(alice, **changes))

    assert response.status_code == 422
    assert "No account was created" in Page(response).text
    assert Safe.objects.count() == 1


def test_somebody_elses_passkey_opens_nothing(alice: Wallet):
    response = alice.client.post(URL, posted(alice, passkey=make_credential().pk))

    assert response.status_code == 422
    assert Safe.objects.count() == 1


def test_where_the_operator_does_not_allow_it_nobody_pays(alice: Wallet, settings: Any):
    settings.USER_PAID_DEPLOYMENT = False

    page = Page(alice.client.get(URL))
    response = alice.client.post(URL, posted(alice))

    assert "I pay for setting it up" not in page.text
    assert response.status_code == 422
    assert Safe.objects.count() == 1


def test_fifty_accounts_are_enough(alice: Wallet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("onchain.services.safes.MAX_ACCOUNTS", 2)
    fields = posted(alice)

    first = alice.client.post(URL, fields)
    again = alice.client.post(URL, fields)
    another = alice.client.post(URL, posted(alice))

    assert (first.status_code, again["Location"]) == (302, first["Location"])
    assert another.status_code == 422
    assert "2 accounts: the most" in Page(another).text
    assert Safe.objects.count() == 2


def test_an_operator_opens_none():
    client = Client()
    client.force_login(make_operator())

    assert client.get(URL).status_code == 403
    assert client.get("/accounts/add/").status_code == 403
