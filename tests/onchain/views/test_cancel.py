"""Withdrawing what somebody signed, and cancelling it for certain. R66."""

from __future__ import annotations

import uuid

import pytest

from onchain.models import UserOperation
from tests.onchain.views.test_queue import approve, words
from tests.pages import Page
from tests.several import ask_for, make_co_owner
from tests.wallets import Status, Wallet, make_review, operation_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(alice: Wallet) -> Wallet:
    wallet = make_co_owner(alice.safe)
    ask_for(alice.safe, 2)
    return wallet


def test_what_nobody_signed_is_discarded_without_more(alice: Wallet, other: Wallet):
    op = make_review(alice)

    alice.client.post(operation_url(op, "withdraw"))

    assert "Cancel for certain" not in words(alice, op)


def test_what_somebody_signed_says_what_withdrawing_is_worth(
    alice: Wallet, other: Wallet
):
    op = make_review(alice)
    approve(op, other)
    assert "Somebody signed this already" in words(alice, op)

    alice.client.post(operation_url(op, "withdraw"))

    seen = words(alice, op)
    assert "Withdrawn here, and only here" in seen
    assert "could still collect the missing ones and send it" in seen
    assert "Cancel for certain" in seen


def test_cancelling_leads_to_a_review_of_its_own(alice: Wallet, other: Wallet):
    op = make_review(alice)
    approve(op, other)

    response = alice.client.post(
        operation_url(op, "cancel"), {"idempotency_key": str(uuid.uuid4())}
    )

    cancelling = UserOperation.objects.get(kind=UserOperation.Kind.CANCEL)
    op.refresh_from_db()
    assert response["Location"] == operation_url(cancelling)
    assert (cancelling.cancels, op.status) == (op, Status.WITHDRAWN)
    assert "Preparing to cancel for certain" in words(alice, cancelling)
    assert "Go on with the cancellation" in words(alice, op)


def test_there_is_nothing_to_cancel_of_what_nobody_signed(alice: Wallet, other: Wallet):
    op = make_review(alice)

    response = alice.client.post(
        operation_url(op, "cancel"), {"idempotency_key": str(uuid.uuid4())}, follow=True
    )

    assert "There is nothing to cancel" in Page(response).words
    op.refresh_from_db()
    assert op.status == Status.AWAITING_SIGNATURES


def test_a_reused_key_cancels_nothing(alice: Wallet, other: Wallet):
    op = make_review(alice)
    approve(op, other)
    key = {"idempotency_key": str(op.idempotency_key)}

    response = alice.client.post(operation_url(op, "cancel"), key, follow=True)

    assert "already used" in Page(response).words
    op.refresh_from_db()
    assert op.status == Status.AWAITING_SIGNATURES
