"""Choosing how long a proposal may be approved."""

from __future__ import annotations

import uuid

import pytest

from onchain.models import UserOperation
from tests.pages import Page
from tests.several import ask_for, make_co_owner
from tests.wallets import RECIPIENT, Status, Wallet, make_operation

pytestmark = pytest.mark.django_db


def payment(**changes: str) -> dict[str, str]:
    fields = {
        "recipient": RECIPIENT,
        "amount": "0.25",
        "idempotency_key": str(uuid.uuid4()),
    }
    return fields | changes


@pytest.fixture
def shared(alice: Wallet) -> Wallet:
    """Alice, whose account asks for two."""
    make_co_owner(alice.safe)
    ask_for(alice.safe, 2)
    return alice


def test_one_owner_alone_has_nothing_to_choose(alice: Wallet):
    assert "Time to approve" not in Page(alice.get("send")).words

    alice.post("send", payment(period="2592000"))

    assert UserOperation.objects.get().period_seconds is None


def test_several_owners_choose_and_a_day_is_usual(shared: Wallet):
    page = Page(shared.get("send"))

    assert "2 owners must approve within this time" in page.words
    response = shared.post("send", payment())

    assert response.status_code == 302
    assert UserOperation.objects.get().period_seconds == 86_400


def test_the_choice_is_stored_with_the_payment(shared: Wallet):
    shared.post("send", payment(period="604800"))

    assert UserOperation.objects.get().period_seconds == 604_800


@pytest.mark.parametrize("period", ["1", "2592001", "-3600", "a day", "3600.0"])
def test_another_time_than_those_offered_is_refused(shared: Wallet, period):
    response = shared.post("send", payment(period=period))

    assert response.status_code == 422
    assert "Choose one of these times." in Page(response).words
    assert not UserOperation.objects.exists()


def test_a_proposal_that_is_changed_keeps_its_time_in_the_form(shared: Wallet):
    op = make_operation(shared, Status.EXPIRED, period_seconds=259_200)

    response = shared.client.get(f"{shared.url('send')}?from={op.pk}")

    assert b'<option value="259200" selected>' in response.content
