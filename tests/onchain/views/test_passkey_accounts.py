"""Choosing accounts for a passkey, proving it there, asking for its addition (R6, R33)."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from onchain.models import KeyProof, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.services import key_proofs
from tests.onchain.additions import (
    Newcomer,
    make_addition,
    make_owner,
    newcomer,
    prepared,
    say_proven,
    second_account,
)
from tests.pages import Page
from tests.signing_answers import key_proof_hash
from tests.soft_authenticator import base64url
from tests.wallets import Wallet

pytestmark = pytest.mark.django_db

ONLY_SIGNS_IN = "Signs in only, cannot pay"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def new(alice: Wallet) -> Newcomer:
    """Alice's second passkey, which owns nothing."""
    return newcomer(alice)


def page_of(new: Newcomer, *accounts: Safe, name: str = "passkey-accounts") -> Page:
    response = new.get(*accounts, name=name)
    assert response.status_code == 200
    return Page(response)


def polls(page: Page) -> list[str]:
    return [element["hx-get"] for element in page.with_attribute("hx-get")]


def prove(new: Newcomer, safe: Safe, *chosen: Safe, headers=None, **changes):
    request = page_of(new, *chosen).json["signing-request"]
    return new.wallet.client.post(
        new.url("prove-passkey"),
        {
            "credential": new.answer(request, **changes),
            "proves": str(safe.pk),
            "account": [str(one.pk) for one in chosen],
        },
        headers=headers or {},
    )


def choices(page: Page) -> list[str]:
    return [
        attributes["value"]
        for tag, attributes in page.elements
        if tag == "input" and attributes.get("type") == "checkbox"
    ]


# --- Choosing --------------------------------------------------------------------------


def test_with_several_accounts_all_are_chosen_at_first(alice, new):
    savings = second_account(alice)

    page = page_of(new)

    assert "Choose the accounts" in page.words
    assert choices(page) == [str(alice.safe.pk), str(savings.pk)]
    assert len(page.with_attribute("checked")) == 2
    assert "one signature for each account" in page.words
    assert "signing-request" not in page.json
    assert not KeyProof.objects.exists()


def test_one_account_is_chosen_without_asking(new):
    page = page_of(new)

    assert choices(page) == []
    assert "Prove this passkey" in page.words
    assert ONLY_SIGNS_IN in page.words
    assert "Prove it first" in page.words


def test_what_cannot_be_chosen_has_no_box(alice, new):
    savings, spare = second_account(alice), second_account(alice, "Spare")
    make_owner(new, savings)

    page = page_of(new)

    assert choices(page) == [str(alice.safe.pk), str(spare.pk)]
    assert "This passkey can pay from Savings" in page.words


def test_a_person_without_an_account_has_nothing_to_choose(alice, new):
    alice.safe.owners.update(is_current=False)

    page = page_of(new)

    assert "You have no account yet" in page.words
    assert "signing-request" not in page.json


# --- Proving ---------------------------------------------------------------------------


def test_the_new_passkey_is_asked_for_exactly_this_account_and_role(alice, new):
    page = page_of(new)

    request = page.json["signing-request"]
    (form,) = page.with_attribute("data-request")
    assert form["data-passkey"] == "sign"
    assert form["data-request"] == "signing-request"
    assert form["action"] == form["hx-post"] == new.url("prove-passkey")
    assert request["kind"] == "KeyProof"
    assert [entry["id"] for entry in request["allowCredentials"]] == [
        base64url(new.passkey.credential_id)
    ]
    assert request["message"]["account"] == alice.safe.address_text
    assert request["message"]["role"] == "owner"
    assert request["hash"] == key_proof_hash(request["message"])
    assert page.signed["account"]["value"] == alice.safe.address_text
    assert page.signed["role"]["value"] == "owner"
    assert not polls(page)


def test_a_touch_is_taken_and_the_chain_is_asked(
    alice, new, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as nudges:
        response = prove(new, alice.safe, headers=HTMX)

    page = Page(response)
    proof = KeyProof.objects.get(status=KeyProof.Status.SIGNED)
    assert response.status_code == 200
    assert (proof.credential, proof.safe) == (new.credential, alice.safe)
    assert len(nudges) == 1
    assert "Checking the passkey" in page.words
    assert "<html" not in page.html
    assert len(polls(page)) == 1
    assert "signing-request" not in page.json


def test_without_htmx_the_choice_survives_the_touch(alice, new):
    savings = second_account(alice)

    response = prove(new, alice.safe, alice.safe, savings)

    assert response.status_code == 302
    chosen = f"account={alice.safe.pk}&account={savings.pk}"
    assert response["Location"] == f"{new.url()}?{chosen}"


def test_each_chosen_account_has_its_own_proof_one_after_the_other(alice, new):
    savings = second_account(alice)
    first = page_of(new, alice.safe, savings)
    say_proven(new, alice.safe)

    second = page_of(new, alice.safe, savings)

    assert "1 of 2" in first.words
    assert "2 of 2" in second.words
    assert first.json["signing-request"]["message"]["account"] == (
        alice.safe.address_text
    )
    assert second.json["signing-request"]["message"]["account"] == savings.address_text


def test_only_what_was_chosen_has_to_be_proven(alice, new):
    savings = second_account(alice)
    say_proven(new, savings)

    page = page_of(new, savings)

    assert "Add to Savings" in page.words
    assert "signing-request" not in page.json


def test_the_card_polls_only_while_the_chain_checks(alice, new):
    prove(new, alice.safe)

    for name in ("passkey-accounts", "passkey-accounts-card"):
        page = page_of(new, alice.safe, name=name)
        assert polls(page) == [
            f"{new.url('passkey-accounts-card')}?account={alice.safe.pk}"
        ]
    KeyProof.objects.update(status=KeyProof.Status.PROVEN)
    assert polls(page_of(new, alice.safe, name="passkey-accounts-card")) == []


def test_a_proof_that_is_proven_between_two_reads_is_not_called_refused(
    alice, new, monkeypatch
):
    prove(new, alice.safe)
    latest = key_proofs.latest

    def after_the_worker(**arguments):
        KeyProof.objects.update(status=KeyProof.Status.PROVEN)
        return latest(**arguments)

    monkeypatch.setattr(key_proofs, "latest", after_the_worker)

    page = page_of(new)

    assert "The chain refused" not in page.words
    assert len(polls(page)) == 1


def test_a_refused_proof_says_so_and_asks_again(alice, new):
    prove(new, alice.safe)
    KeyProof.objects.update(status=KeyProof.Status.REFUSED)

    page = page_of(new)

    assert "The chain refused the last proof" in page.words
    assert "signing-request" in page.json
    assert not polls(page)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"challenge": b"\7" * 32}, id="another-challenge"),
        pytest.param({"origin": "https://evil.example"}, id="another-origin"),
        pytest.param({"flags": 0x01}, id="no-verification"),
        pytest.param({"credential_id": b"\1" * 32}, id="another-passkey"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_forged_answer_proves_nothing_and_says_so(changes, headers, alice, new):
    response = prove(new, alice.safe, headers=headers, **changes)

    assert response.status_code == 422
    assert "The passkey is not proven" in Page(response).words
    assert KeyProof.objects.get().status == KeyProof.Status.OPEN


def test_an_owners_answer_does_not_prove_the_new_passkey(alice, new):
    request = page_of(new).json["signing-request"]

    response = alice.client.post(
        new.url("prove-passkey"),
        {"credential": alice.answer(request), "proves": str(alice.safe.pk)},
    )

    assert response.status_code == 422
    assert KeyProof.objects.get().status == KeyProof.Status.OPEN


def test_a_proof_for_somebody_elses_account_is_not_taken(alice, bob, new):
    request = page_of(new).json["signing-request"]

    response = alice.client.post(
        new.url("prove-passkey"),
        {"credential": new.answer(request), "proves": str(bob.safe.pk)},
    )

    assert response.status_code == 422
    assert "This account was not found" in Page(response).words
    assert not KeyProof.objects.filter(status=KeyProof.Status.SIGNED).exists()


# --- Adding ----------------------------------------------------------------------------


def test_adding_drafts_one_operation_for_each_account_and_opens_the_first(
    alice, new, django_capture_on_commit_callbacks
):
    savings = second_account(alice)
    for safe in (alice.safe, savings):
        say_proven(new, safe)

    with django_capture_on_commit_callbacks() as nudges:
        response = new.add(alice.safe, savings)

    first, second = UserOperation.objects.order_by("pk")
    assert response.status_code == 302
    assert response["Location"] == reverse("onchain:operation", args=[first.pk])
    assert [first.safe, second.safe] == [alice.safe, savings]
    assert {op.kind for op in (first, second)} == {"add-passkey"}
    assert {op.new_credential for op in (first, second)} == {new.credential}
    assert {op.status for op in (first, second)} == {Status.DRAFT}
    assert len(nudges) == 2


def test_the_same_press_twice_drafts_once(alice, new):
    say_proven(new, alice.safe)
    key = uuid.uuid4()

    first, second = (new.add(alice.safe, key=key) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert UserOperation.objects.count() == 1


def test_one_key_for_other_accounts_is_refused(alice, new):
    """R50"""
    savings = second_account(alice)
    for safe in (alice.safe, savings):
        say_proven(new, safe)
    key = uuid.uuid4()
    new.add(alice.safe, key=key)

    response = new.add(alice.safe, savings, key=key)

    assert response.status_code == 422
    assert "already used" in Page(response).words
    assert UserOperation.objects.count() == 1


def test_what_is_not_proven_is_not_added_and_neither_is_the_rest(alice, new):
    savings = second_account(alice)
    say_proven(new, alice.safe)

    response = new.add(alice.safe, savings)

    words = Page(response).words
    assert response.status_code == 422
    assert "Nothing was added" in words
    assert "Savings: This passkey has not shown yet" in words
    assert not UserOperation.objects.exists()


def test_nobody_adds_a_passkey_to_an_account_of_somebody_else(alice, bob, new):
    say_proven(new, bob.safe)

    response = new.add(bob.safe)

    assert response.status_code == 400
    assert not UserOperation.objects.exists()


@pytest.mark.parametrize("key", ["", "x", "\0"])
def test_a_form_without_its_key_adds_nothing(key, alice, new):
    say_proven(new, alice.safe)

    response = alice.client.post(
        new.url("add-to-accounts"),
        {"idempotency_key": key, "account": str(alice.safe.pk)},
    )

    assert response.status_code == 400
    assert not UserOperation.objects.exists()


@pytest.mark.parametrize("name", ["", "x", "0", "9" * 400, "%00", "-1", "１"])
def test_an_account_that_cannot_be_read_is_nobodys(name, alice, new):
    say_proven(new, alice.safe)

    shown = alice.client.get(new.url(), {"account": name})
    added = alice.client.post(
        new.url("add-to-accounts"),
        {"idempotency_key": str(uuid.uuid4()), "account": name},
    )

    assert shown.status_code == 200
    assert added.status_code == 400
    assert not UserOperation.objects.exists()


# --- What comes after ------------------------------------------------------------------


def test_while_it_waits_for_the_touch_the_one_step_is_its_review(alice, new):
    op = prepared(make_addition(new))

    page = page_of(new)

    assert "Waiting for authorisation" in page.words
    assert f'href="{reverse("onchain:operation", args=[op.pk])}"' in page.html
    assert "Authorise it for" in page.words
    assert "signing-request" not in page.json


@pytest.mark.parametrize("status", [Status.SIGNED, Status.SUBMITTED])
def test_while_the_network_has_the_next_move_the_page_polls(status, alice, new):
    op = make_addition(new)
    UserOperation.objects.filter(pk=op.pk).update(status=status)

    page = page_of(new)

    assert "Being added" in page.words
    assert len(polls(page)) == 1


def test_after_inclusion_it_is_being_added_until_the_owners_were_read(alice, new):
    op = make_addition(new)
    UserOperation.objects.filter(pk=op.pk).update(
        status=Status.INCLUDED, block_number=100
    )
    before = page_of(new)
    Safe.objects.filter(pk=alice.safe.pk).update(owners_synced_block=100)
    make_owner(new)

    after = page_of(new)

    assert "Being added" in before.words
    assert polls(before)
    assert "This passkey can pay from" in after.words
    assert ONLY_SIGNS_IN not in after.words
    assert polls(after) == []


def test_an_owner_that_was_removed_again_can_be_added_again(alice, new):
    op = make_addition(new)
    UserOperation.objects.filter(pk=op.pk).update(
        status=Status.INCLUDED, block_number=100
    )
    Safe.objects.filter(pk=alice.safe.pk).update(owners_synced_block=105)

    page = page_of(new)

    assert "Being added" not in page.words
    assert f"Add to {alice.safe.name}" in page.words
    assert polls(page) == []


def test_another_passkeys_addition_goes_first(alice, new):
    other = newcomer(alice, name="My tablet")
    prepared(make_addition(other))

    page = page_of(new)

    assert "Another change first" in page.words
    assert "signing-request" not in page.json


def test_an_account_that_is_not_live_cannot_be_added_to(alice, new):
    Safe.objects.update(status=Safe.Status.QUEUED)

    page = page_of(new)

    assert "Not live yet" in page.words
    assert "signing-request" not in page.json
    assert not KeyProof.objects.exists()


# --- Who may -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["passkey-accounts", "passkey-accounts-card"])
def test_a_stranger_sees_404_as_for_no_passkey(name, bob, new):
    theirs = bob.client.get(new.url(name))
    missing = bob.client.get(reverse(f"onchain:{name}", args=[10**6]))

    assert theirs.status_code == missing.status_code == 404
    assert not KeyProof.objects.exists()


@pytest.mark.parametrize("name", ["prove-passkey", "add-to-accounts"])
def test_a_stranger_posts_to_nothing(name, alice, bob, new):
    say_proven(new, alice.safe)
    form = {
        "credential": "{}",
        "proves": alice.safe.pk,
        "account": alice.safe.pk,
        "idempotency_key": str(uuid.uuid4()),
    }

    assert bob.client.post(new.url(name), form).status_code == 404
    assert not UserOperation.objects.exists()


def test_a_removed_passkey_has_no_page(alice, new):
    new.credential.removed_at = new.credential.created_at
    new.credential.save(update_fields=["removed_at"])

    assert new.get().status_code == 404


def test_signed_out_the_fragment_says_401(new):
    response = Client().get(new.url("passkey-accounts-card"))

    assert response.status_code == 401
    assert response["HX-Redirect"] == reverse("home")
