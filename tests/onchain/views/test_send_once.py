"""Two tabs, double clicks and repeated posts make one payment (R50, R65)."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection

from onchain.models import RelayerTransaction, Safe, UserOperation
from tests.pages import Page
from tests.wallets import (
    RECIPIENT,
    Wallet,
    make_wallet,
    operation_url,
)

pytestmark = pytest.mark.django_db

THREADS = 20


def payment(**changes: str) -> dict[str, str]:
    """Return a good form, changed."""
    fields = {
        "recipient": RECIPIENT,
        "amount": "0.25",
        "idempotency_key": str(uuid.uuid4()),
    }
    return fields | changes


def rows() -> list[dict]:
    """Return all that a refused payment must leave as it was."""
    return [
        *UserOperation.objects.order_by("pk").values(),
        *Safe.objects.order_by("pk").values(),
        *RelayerTransaction.objects.order_by("pk").values(),
    ]


def key_of(response) -> str:
    return Page(response).inputs()["idempotency_key"]


def test_the_same_form_twice_makes_one_payment(alice):
    form = payment()

    answers = [alice.post("send", form) for _ in range(3)]

    op = UserOperation.objects.get()
    assert {answer["Location"] for answer in answers} == {operation_url(op)}


def test_the_same_form_after_the_money_left_leads_to_its_payment(alice):
    form = payment(amount="10")
    alice.post("send", form)
    Safe.objects.update(balance_wei=0)

    response = alice.post("send", form)

    assert response["Location"] == operation_url(UserOperation.objects.get())


@pytest.mark.parametrize("change", [{"amount": "0.3"}, {"recipient": "0x" + "b0" * 20}])
def test_the_same_key_with_another_payment_is_refused(change, alice):
    form = payment()
    alice.post("send", form)
    before = rows()

    response = alice.post("send", form | change)

    page = Page(response)
    assert response.status_code == 422
    assert "already used for another payment" in page.words
    assert page.inputs()["amount"] == (form | change)["amount"]
    assert rows() == before


def test_two_people_may_use_the_same_key(alice, bob):
    form = payment()

    alice.post("send", form)
    bob.post("send", form)

    assert UserOperation.objects.filter(safe=alice.safe).count() == 1
    assert UserOperation.objects.filter(safe=bob.safe).count() == 1


def test_the_header_counts_as_the_key(alice):
    key = str(uuid.uuid4())
    form = payment(idempotency_key="")

    for _ in range(2):
        response = alice.post("send", form, **{"Idempotency-Key": key})
        assert response.status_code == 302

    assert str(UserOperation.objects.get().idempotency_key) == key


def test_a_header_that_is_no_key_is_refused(alice):
    form = payment(idempotency_key="")

    response = alice.post("send", form, **{"Idempotency-Key": "once"})

    assert response.status_code == 422
    assert not UserOperation.objects.exists()


def test_the_same_payment_from_a_new_form_is_asked_about(alice):
    alice.post("send", payment())
    before = rows()

    response = alice.post("send", payment())

    page = Page(response)
    assert response.status_code == 422
    assert "Send it a second time?" in page.words
    assert [
        element
        for element in page.with_attribute("name")
        if element["name"] == "confirm_repeat" and element["type"] == "checkbox"
    ]
    assert rows() == before


def test_the_same_payment_goes_through_when_confirmed(alice):
    alice.post("send", payment())
    asked = alice.post("send", payment())

    again = Page(asked).inputs() | {"confirm_repeat": "on"}
    response = alice.post("send", again)

    assert response.status_code == 302
    assert UserOperation.objects.count() == 2


def test_nothing_is_asked_before_there_is_a_twin(alice):
    assert "confirm_repeat" not in Page(alice.get("send")).inputs()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_twenty_equal_posts_at_once_make_one_payment(transactional_db):
    wallet = make_wallet()
    form = payment()
    start = threading.Barrier(THREADS)
    locations = []

    def post() -> None:
        try:
            browser = Wallet(user=wallet.user, passkey=wallet.passkey, safe=wallet.safe)
            browser.client.cookies = wallet.client.cookies
            start.wait()
            locations.append(browser.post("send", form).headers.get("Location"))
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    op = UserOperation.objects.get()
    assert locations == [operation_url(op)] * THREADS
