"""A row that was changed behind the site's back is shown, and never signed (R15)."""

from __future__ import annotations

import logging

import pytest

from onchain.models import OperationSignature
from onchain.protocol.account_calls import calls_call_data
from onchain.protocol.types import Call, to_address
from tests.pages import Page
from tests.tampering import tamper
from tests.wallets import (
    RECIPIENT,
    Status,
    make_operation,
    make_review,
    operation_url,
)

pytestmark = pytest.mark.django_db

WORDS = (
    "This payment was changed after it was prepared. It cannot be signed. Discard it."
)
THIEF = Call(to=to_address("0x" + "66" * 20), value_wei=10**18)
CHANGES = {
    "another payment": {"call_data": calls_call_data([THIEF])},
    "no payment": {"call_data": b"\xff" * 7},
    "another fee": {"max_fee_per_gas": 1},
    "a longer life": {"valid_until": 2**40},
    "another hash": {"safe_operation_hash": b"\1" * 32},
    "no hash": {"safe_operation_hash": None},
}


def criticals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.CRITICAL
    ]


@pytest.mark.parametrize("name", ["operation", "operation-card"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_payment_is_shown_without_a_way_to_sign_it(
    change, name, alice, caplog
):
    op = make_review(alice)
    tamper(op, **CHANGES[change])

    page = Page(alice.client.get(operation_url(op, name)))

    assert page.words.count(WORDS) == 1
    assert "Authorize with passkey" not in page.words
    assert "data-request" not in page.html
    assert "signing-request" not in page.json
    assert "Discard this payment" in page.words
    assert "?from=" not in page.html
    assert criticals(caplog) == [f"operation {op.pk} was changed after it was prepared"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_payment_can_be_discarded(change, alice):
    op = make_review(alice)
    tamper(op, **CHANGES[change])

    alice.client.post(operation_url(op, "withdraw"))

    op.refresh_from_db()
    assert op.status == Status.WITHDRAWN
    assert alice.client.get(operation_url(op)).status_code == 200


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_an_answer_for_what_was_shown_before_signs_nothing(htmx, alice, caplog):
    op = make_review(alice, recipient=RECIPIENT)
    shown = Page(alice.client.get(operation_url(op))).json["signing-request"]
    tamper(op, **CHANGES["another payment"])

    response = alice.client.post(
        operation_url(op, "sign"), {"credential": alice.answer(shown)}, headers=htmx
    )

    assert response.status_code == 409
    assert Page(response).words.count(WORDS) == 1
    assert len(criticals(caplog)) == 1
    assert not OperationSignature.objects.exists()
    op.refresh_from_db()
    assert op.status == Status.AWAITING_SIGNATURES


def test_a_repeated_answer_for_a_changed_payment_is_refused(alice):
    op = make_review(alice)
    shown = Page(alice.client.get(operation_url(op))).json["signing-request"]
    signed = make_operation(alice, Status.SIGNED)
    tamper(signed, **CHANGES["another payment"])

    response = alice.client.post(
        operation_url(signed, "sign"), {"credential": alice.answer(shown)}
    )

    assert response.status_code == 409


def test_an_untouched_payment_is_no_cause_for_alarm(alice, caplog):
    page = Page(alice.client.get(operation_url(make_review(alice))))

    assert "Authorize with passkey" in page.words
    assert criticals(caplog) == []
