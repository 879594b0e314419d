"""Reviewing the addition of a passkey, authorising it, and what is said of it later.

R15: all that is signed is shown; R16: what the row says is what is signed; R65.
"""

from __future__ import annotations

import logging
import uuid

import pytest
from django.urls import reverse

from onchain.models import OperationSignature, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.types import checksum_address
from tests import signing_oracle
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
from tests.soft_authenticator import base64url
from tests.wallets import Wallet, operation_url

pytestmark = pytest.mark.django_db

SIGNED_NAMES = {
    "change",
    *("new-owner", "new-key", "threshold"),
    *("account", "chain", "max-fee", "payer", "valid-until"),
}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def new(alice: Wallet) -> Newcomer:
    """Alice's second passkey, which owns nothing."""
    return newcomer(alice)


@pytest.fixture
def review(new: Newcomer) -> UserOperation:
    """The open review of its addition to Alice's account."""
    return prepared(make_addition(new))


def page_of(wallet: Wallet, op: UserOperation) -> Page:
    response = wallet.client.get(operation_url(op))
    assert response.status_code == 200
    return Page(response)


def sign(wallet: Wallet, op: UserOperation, headers=None):
    request = page_of(wallet, op).json["signing-request"]
    return wallet.client.post(
        operation_url(op, "sign"),
        {"credential": wallet.answer(request)},
        headers=headers or {},
    )


def end(op: UserOperation, status: Status, **fields: object) -> UserOperation:
    UserOperation.objects.filter(pk=op.pk).update(status=status, **fields)
    op.refresh_from_db()
    return op


# --- The review ------------------------------------------------------------------------


def test_the_review_shows_all_that_will_be_signed(alice, new, review):
    page = page_of(alice, review)

    x, y = (int.from_bytes(part) for part in (new.passkey.x, new.passkey.y))
    assert set(page.signed) == SIGNED_NAMES
    assert page.shown("new-owner") == signing_oracle.signer_address(x, y)
    assert page.shown("new-key") == signing_oracle.fingerprint(x, y)
    assert page.shown("threshold") == "1 of 2 must approve"
    assert page.signed["threshold"]["value"] == "1"
    assert page.shown("account") == alice.safe.address_text
    assert "1 of 1 must approve" in page.words
    assert page.words.index("1 of 1 must") < page.words.index("1 of 2 must")


def test_the_signing_request_brings_all_that_the_signer_follows_from(
    alice, new, review
):
    request = page_of(alice, review).json["signing-request"]

    x, y = (int.from_bytes(part) for part in (new.passkey.x, new.passkey.y))
    signer = signing_oracle.signer_address(x, y)
    assert request["newOwner"] == {
        "x": str(x),
        "y": str(y),
        "signer": signer,
        "proxyCode": f"0x{signing_oracle.proxy_code().hex()}",
        "singleton": signing_oracle.SIGNER_SINGLETON,
        "verifiers": str(signing_oracle.VERIFIERS),
    }
    assert request["change"] == {
        "kind": "add-passkey",
        "owner": signer,
        "threshold": "1",
    }
    calls = signing_oracle.addition_calls(
        safe=alice.safe.address_text, x=x, y=y, signer=signer, threshold=1
    )
    assert request["calls"] == calls
    assert request["message"]["callData"] == signing_oracle.batch_call_data(calls)
    assert request["hash"] == signing_oracle.safe_operation_hash(request["message"])


def test_the_sentence_comes_first_and_the_warning_above_the_button(alice, new, review):
    page = page_of(alice, review)

    name = f"Add a passkey to {alice.safe.name}"
    sentence = "My phone (Google Password Manager) can move this account alone."
    assert name in page.words
    assert page.words.index(name) < page.words.index(sentence)
    assert page.words.index(sentence) < page.words.index("Whoever holds this passkey")
    assert page.words.index("Whoever holds") < page.words.index("Authorize with")
    assert "alert-error" in page.html


def test_where_several_must_approve_nobody_is_said_to_move_it_alone(alice, new):
    Safe.objects.update(threshold=2)
    make_owner(newcomer(alice, name="My tablet"))

    page = page_of(alice, prepared(make_addition(new)))

    assert "counts as one of the 2 that must approve" in page.words
    assert page.shown("threshold") == "2 of 3 must approve"
    assert "alone" not in page.words
    assert "Whoever holds" not in page.words


def test_only_present_owners_are_asked(alice, new, review):
    request = page_of(alice, review).json["signing-request"]

    assert [entry["id"] for entry in request["allowCredentials"]] == [
        base64url(alice.passkey.credential_id)
    ]


def test_it_reads_as_a_request_and_cannot_be_edited_as_a_payment(alice, review):
    page = page_of(alice, review)

    assert "Discard this request" in page.words
    assert "payment" not in page.words.partition("Technical details")[0]
    assert "?from=" not in page.html


def test_the_own_answer_of_the_new_passkey_authorises_nothing(alice, new, review):
    request = page_of(alice, review).json["signing-request"]

    response = alice.client.post(
        operation_url(review, "sign"), {"credential": new.answer(request)}
    )

    assert response.status_code == 422
    assert not OperationSignature.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"new_signer": b"\x66" * 20},
        {"new_threshold": 2},
        {"recipient": b"\x66" * 20},
        {"value_wei": 1},
        {"new_credential": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_row_is_shown_without_a_way_to_sign_it(change, alice, new, caplog):
    """R28"""
    op = end(prepared(make_addition(new)), Status.AWAITING_SIGNATURES, **change)

    page = page_of(alice, op)

    assert "This request was changed after it was prepared" in page.words
    assert "data-request" not in page.html
    assert any(record.levelno == logging.CRITICAL for record in caplog.records)


# --- Several accounts ------------------------------------------------------------------


def test_after_one_is_signed_the_next_review_opens(alice, new):
    savings = second_account(alice)
    for safe in (alice.safe, savings):
        say_proven(new, safe)
    new.add(alice.safe, savings)
    first, second = map(prepared, UserOperation.objects.order_by("pk"))
    words = [page_of(alice, op).words for op in (first, second)]

    response = sign(alice, first, HTMX)
    last = sign(alice, second, HTMX)

    assert ["Review · 1 of 2" in words[0], "Review · 2 of 2" in words[1]] == [True] * 2
    assert response["HX-Redirect"] == operation_url(second)
    assert "HX-Redirect" not in last
    assert "Adding a passkey" in Page(last).words


def test_without_htmx_the_next_review_opens_too(alice, new):
    savings = second_account(alice)
    for safe in (alice.safe, savings):
        say_proven(new, safe)
    new.add(alice.safe, savings)
    first, second = map(prepared, UserOperation.objects.order_by("pk"))

    response = sign(alice, second)

    assert response["Location"] == operation_url(first)


def test_one_account_alone_has_no_number(alice, new, review):
    words = page_of(alice, review).words

    assert " of 1 " not in words.replace("1 of 1 must", "")
    assert "Location" in sign(alice, review)


def test_the_requests_of_another_press_are_not_counted(alice, new):
    other = newcomer(alice, name="My tablet")
    savings = second_account(alice)
    say_proven(new, alice.safe)
    say_proven(other, savings)
    new.add(alice.safe)
    other.add(savings)
    first = prepared(UserOperation.objects.order_by("pk")[0])

    assert "1 of 2 must" in page_of(alice, first).words
    assert "Review · 1" not in page_of(alice, first).words


# --- What is said of it later ----------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.DRAFT, "Preparing: Add a passkey"),
        (Status.SIGNED, "Adding a passkey"),
        (Status.SUBMITTED, "Adding a passkey"),
        (Status.INCLUDED, "Passkey added"),
        (Status.REVERTED, "Passkey not added"),
        (Status.REJECTED, "Passkey not added"),
        (Status.EXPIRED, "Passkey not added"),
        (Status.WITHDRAWN, "Passkey not added"),
    ],
)
def test_each_state_has_its_words(status, words, alice, review):
    page = page_of(alice, end(review, status, block_number=1))

    assert words in page.words
    assert "My phone (Google Password Manager)" in page.words
    assert "0 ETH" not in page.words.partition("Receipt")[0]


def test_once_confirmed_it_says_what_the_passkey_can_do(alice, new, review):
    page = page_of(alice, end(review, Status.INCLUDED, block_number=1))

    assert f"This passkey can pay from {alice.safe.name}." in page.words
    assert new.url() in page.html


def test_a_discarded_request_can_be_prepared_again_as_what_it_was(alice, new, review):
    alice.client.post(operation_url(review, "withdraw"))
    page = page_of(alice, review)

    response = alice.client.post(
        operation_url(review, "prepare-again"), {"idempotency_key": str(uuid.uuid4())}
    )

    again = UserOperation.objects.latest("pk")
    assert "You discarded this request before it was signed" in page.words
    assert "Nothing was changed." in page.words
    assert "?from=" not in page.html
    assert response["Location"] == operation_url(again)
    assert (again.kind, again.new_credential) == (review.kind, new.credential)
    assert again.predecessor == review


def test_a_request_that_cannot_be_prepared_again_says_why(alice, new, review):
    end(review, Status.EXPIRED)
    make_owner(new)

    response = alice.client.post(
        operation_url(review, "prepare-again"),
        {"idempotency_key": str(uuid.uuid4())},
        follow=True,
    )

    assert "This passkey can sign for this account already." in Page(response).words
    assert UserOperation.objects.count() == 1


@pytest.mark.parametrize("name", ["activity", "safe-detail", "safe-activity"])
def test_the_list_says_what_it_is(name, alice, review):
    page = Page(alice.get(name))

    assert "Add a passkey My phone (Google Password Manager)" in page.words
    assert "To 0x" not in page.words


def test_a_payment_is_not_prefilled_from_it(alice, review):
    response = alice.client.get(f"{alice.url('send')}?from={review.pk}")

    assert response.context["form"]["recipient"].value() is None


# --- The account's owners --------------------------------------------------------------


def test_the_owners_page_names_the_present_owners(alice, new):
    added = make_owner(new)
    gone = make_owner(newcomer(alice, name="My old phone"))
    type(gone).objects.filter(pk=gone.pk).update(is_current=False)

    page = Page(alice.get("owners"))

    assert "1 of 2 must approve" in page.words
    assert "My phone (Google Password Manager)" in page.words
    assert checksum_address(added.address) in page.words
    assert "My old phone" not in page.words
    assert ("a", reverse("passkeys")) in [
        (tag, attributes.get("href")) for tag, attributes in page.elements
    ]


def test_the_name_of_somebody_elses_passkey_is_theirs(alice, bob, new):
    theirs = newcomer(bob, name="Bob's secret phone")
    make_owner(theirs, alice.safe)

    page = Page(alice.get("owners"))

    assert "secret" not in page.words
    assert "1 of 2 must approve" in page.words


def test_the_passkeys_page_shows_the_same_fingerprint(alice, new, review):
    shown = page_of(alice, review).shown("new-key")

    assert shown in Page(alice.client.get(reverse("passkeys"))).words
