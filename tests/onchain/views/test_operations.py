"""One operation: giving it up, trying again, its six steps, its failures."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from onchain.failures import WORDS
from onchain.models import Chain, OperationSignature, UserOperation
from onchain.progress import NAMES
from onchain.protocol.types import checksum_address
from tests.pages import Page
from tests.wallets import (
    Status,
    Wallet,
    make_draft,
    make_operation,
    make_review,
    operation_url,
)

pytestmark = pytest.mark.django_db

SIGNED_NAMES = {
    *("recipient", "amount", "account", "chain", "max-fee", "payer", "valid-until"),
}


def page_of(wallet: Wallet, op: UserOperation, name: str = "operation") -> Page:
    response = wallet.client.get(operation_url(op, name))
    assert response.status_code == 200
    return Page(response)


def request_of(wallet: Wallet, op: UserOperation) -> dict:
    """Return what the page hands to signing.js."""
    return page_of(wallet, op).json["signing-request"]


def post(wallet: Wallet, op: UserOperation, name: str, **data: str):
    return wallet.client.post(operation_url(op, name), data)


def sign(wallet: Wallet, op: UserOperation, **changes):
    answer = wallet.answer(request_of(wallet, op), **changes)
    return post(wallet, op, "sign", credential=answer)


def state(op: UserOperation) -> tuple:
    row = UserOperation.objects.filter(pk=op.pk).values().get()
    return row, OperationSignature.objects.count()


# --- Withdrawing and preparing again ---------------------------------------------------


@pytest.mark.parametrize("status", [Status.DRAFT, Status.AWAITING_SIGNATURES])
def test_an_unsigned_payment_can_be_discarded(status, alice):
    op = make_operation(alice, status)

    answers = [post(alice, op, "withdraw") for _ in range(2)]

    op.refresh_from_db()
    assert [answer["Location"] for answer in answers] == [operation_url(op)] * 2
    assert op.status == Status.WITHDRAWN
    assert "You discarded this payment" in page_of(alice, op).words


@pytest.mark.parametrize("status", [Status.SIGNED, Status.SUBMITTED, Status.INCLUDED])
def test_a_signed_payment_cannot_be_discarded(status, alice):
    op = make_operation(alice, status)
    before = state(op)

    response = alice.client.post(operation_url(op, "withdraw"), follow=True)

    assert "changed in another tab" in Page(response).words
    assert state(op) == before


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.REJECTED, Status.WITHDRAWN])
def test_preparing_again_twice_makes_one_new_draft(
    status, alice, django_capture_on_commit_callbacks
):
    op = make_operation(alice, status)
    key = str(uuid.uuid4())

    with django_capture_on_commit_callbacks() as nudges:
        answers = [
            post(alice, op, "prepare-again", idempotency_key=key) for _ in range(2)
        ]

    again = op.successors.get()
    assert [answer["Location"] for answer in answers] == [operation_url(again)] * 2
    assert again.status == Status.DRAFT
    assert (again.recipient, again.value_wei) == (op.recipient, op.value_wei)
    assert nudges


def test_the_header_counts_as_the_key_of_preparing_again(alice):
    op = make_operation(alice, Status.EXPIRED)
    key = str(uuid.uuid4())

    response = alice.client.post(
        operation_url(op, "prepare-again"), headers={"Idempotency-Key": key}
    )

    again = op.successors.get()
    assert response["Location"] == operation_url(again)
    assert str(again.idempotency_key) == key


@pytest.mark.parametrize("key", ["", "x"])
def test_preparing_again_needs_its_key(key, alice):
    op = make_operation(alice, Status.EXPIRED)

    response = post(alice, op, "prepare-again", idempotency_key=key)

    assert response.status_code == 400
    assert UserOperation.objects.count() == 1


def test_a_key_of_another_payment_prepares_nothing_and_says_so(alice):
    op = make_operation(alice, Status.EXPIRED)
    other = make_draft(alice, value_wei=1)

    response = post(
        alice, op, "prepare-again", idempotency_key=str(other.idempotency_key)
    )

    page = Page(response)
    assert response.status_code == 422  # R50
    assert "already used for another payment" in page.words
    assert "Prepare again" in page.words
    assert page.inputs()["idempotency_key"] != str(other.idempotency_key)
    assert not op.successors.exists()


@pytest.mark.parametrize(
    "status",
    [
        *(Status.DRAFT, Status.AWAITING_SIGNATURES, Status.SIGNED),
        *(Status.SUBMITTED, Status.INCLUDED, Status.REVERTED, Status.REPLACED),
    ],
)
def test_what_was_or_may_be_paid_is_not_prepared_again(status, alice):
    op = make_operation(alice, status)

    response = alice.client.post(
        operation_url(op, "prepare-again"),
        {"idempotency_key": str(uuid.uuid4())},
        follow=True,
    )

    assert "changed in another tab" in Page(response).words
    assert UserOperation.objects.count() == 1


# --- Steps and polling -----------------------------------------------------------------

POLLS = {
    Status.DRAFT: True,
    Status.AWAITING_SIGNATURES: False,
    Status.SIGNED: True,
    Status.SUBMITTED: True,
    Status.INCLUDED: True,
    Status.REVERTED: True,
    Status.REJECTED: False,
    Status.EXPIRED: False,
    Status.WITHDRAWN: False,
    Status.REPLACED: False,
}


def test_every_state_has_a_rule_for_polling():
    assert set(POLLS) == set(Status)


@pytest.mark.parametrize("name", ["operation", "operation-card"])
@pytest.mark.parametrize("status", POLLS)
def test_a_card_polls_exactly_while_the_network_has_the_next_move(status, name, alice):
    op = make_operation(alice, status)

    page = page_of(alice, op, name)

    triggers = [
        element
        for element in page.with_attribute("hx-trigger")
        if "every" in element["hx-trigger"]
    ]
    assert len(triggers) == int(POLLS[status])
    for element in triggers:
        assert element["id"] == f"operation-{op.pk}"
        assert element["hx-get"] == operation_url(op, "operation-card")
        assert element["hx-swap"] == "outerMorph"


@pytest.mark.parametrize("status", [Status.INCLUDED, Status.REVERTED])
def test_a_confirmed_card_stops_polling(status, alice):
    op = make_operation(alice, status)
    Chain.objects.update(head_number=150)

    page = page_of(alice, op)

    assert "every" not in page.html


@pytest.mark.parametrize("status", Status)
def test_the_six_steps_are_named_in_order_in_every_state(status, alice):
    page = page_of(alice, make_operation(alice, status))

    start = page.html.index("<ol")
    steps = page.html[start : page.html.index("</ol>", start)]
    places = [steps.index(f">{name}<") for name in NAMES]
    assert places == sorted(places)
    assert steps.count("<li") == 6
    assert steps.count('aria-current="step"') <= 1


CURRENT = {
    Status.DRAFT: "Prepared",
    Status.AWAITING_SIGNATURES: "Reviewed",
    Status.SIGNED: "Sent",
    Status.SUBMITTED: "Included",
    Status.INCLUDED: "Confirmed",
}


@pytest.mark.parametrize("status", CURRENT)
def test_the_step_that_waits_is_marked(status, alice):
    op = make_operation(alice, status)

    response = alice.client.get(operation_url(op))

    current = [
        step.name for step in response.context["steps"] if step.state == "current"
    ]
    assert current == [CURRENT[status]]


def test_a_confirmed_payment_shows_its_receipt(alice):
    op = make_operation(alice, Status.INCLUDED)
    Chain.objects.update(head_number=150)

    page = page_of(alice, op)

    assert "0.25 ETH sent" in page.words
    assert f"0x{op.transaction_hash.hex()}" in page.words
    assert "51 confirmations" in page.words
    assert "0.0001 ETH" in page.words
    assert "in progress" not in page.words


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("the node did not answer", "does not answer. Trying again"),
        ("the account is not live yet", "being set up first"),
        ("another payment took the nonce", "Another payment of this account"),
    ],
)
def test_a_card_says_why_it_still_tries(problem, words, alice):
    op = make_operation(alice, Status.DRAFT, last_problem=problem)

    assert words in page_of(alice, op).words


# --- Failures --------------------------------------------------------------------------

FAILED = [Status.REJECTED, Status.EXPIRED, Status.REPLACED, Status.REVERTED]


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param(["AA21", "bundler-refused", "surprise", ""], id="some"),
        pytest.param([*WORDS, "AA99"], id="every", marks=pytest.mark.thorough),
    ],
)
def test_every_failure_says_what_happened_to_the_money_and_what_to_do(
    codes, alice, subtests
):
    op = make_operation(alice, Status.REJECTED, failure_detail="0x08c379a0 GS026")
    for code in codes:
        with subtests.test(code):
            UserOperation.objects.filter(pk=op.pk).update(failure_code=code)

            response = alice.client.get(operation_url(op))

            failure = response.context["failure"]
            page = Page(response)
            for words in (failure.title, failure.what, failure.money, failure.way_out):
                assert words
                assert " ".join(words.split()) in page.words
            assert "What happened" in page.words
            assert "Your money" in page.words
            assert "What you can do" in page.words
            assert code_is_behind_a_disclosure(page, failure.code)
            assert "GS026" in failure.code


def code_is_behind_a_disclosure(page: Page, code: str) -> bool:
    start = page.html.index("<summary", page.html.index("What you can do"))
    details = page.html[start : page.html.index("</details>", start)]
    shown = page.words.replace("&#x27;", "'")
    return "Code" in details and code.split(":")[0] in details and code in shown


@pytest.mark.parametrize("status", FAILED)
def test_a_failed_payment_never_looks_sent(status, alice):
    op = make_operation(alice, status, failure_code="expired")
    Chain.objects.update(head_number=150)

    page = page_of(alice, op)

    assert "not sent" in page.words
    assert "0.25 ETH sent" not in page.words
    assert "failed" in page.words


@pytest.mark.parametrize(
    ("is_sponsored", "words"),
    [
        (True, "The sponsor paid the network fee"),
        (False, "The network fee was used up"),
    ],
)
def test_a_reverted_payment_says_who_paid_the_fee(is_sponsored, words, alice):
    op = make_review(alice, is_sponsored=is_sponsored)
    UserOperation.objects.filter(pk=op.pk).update(
        status=Status.REVERTED, failure_code="execution-reverted", block_number=1
    )

    assert words in page_of(alice, op).words


def test_what_a_contract_says_is_text(alice):
    op = make_operation(
        alice,
        Status.REJECTED,
        failure_code="bundler-refused",
        failure_detail="<script>alert(1)</script>",
    )

    assert "<script>alert" not in page_of(alice, op).html


@pytest.mark.parametrize(
    ("status", "is_offered"),
    [
        (Status.REJECTED, True),
        (Status.EXPIRED, True),
        (Status.WITHDRAWN, True),
        (Status.REPLACED, False),
        (Status.REVERTED, False),
        (Status.INCLUDED, False),
    ],
)
def test_preparing_again_is_offered_only_where_it_is_safe(status, is_offered, alice):
    op = make_operation(alice, status)

    page = page_of(alice, op)

    assert ("Prepare again" in page.words) is is_offered
    assert (operation_url(op, "prepare-again") in page.html) is is_offered


def edit_url(op: UserOperation) -> str:
    address = [op.safe.chain.chain_id, op.safe.address_text]
    return f"{reverse('onchain:send', args=address)}?from={op.pk}"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.AWAITING_SIGNATURES, "Change and review again"),
        (Status.REJECTED, "Edit this payment"),
        (Status.WITHDRAWN, "Edit this payment"),
    ],
)
def test_an_unsigned_payment_can_be_changed(status, words, alice):
    op = make_operation(alice, status, failure_code="bundler-refused")

    page = page_of(alice, op)
    form = Page(alice.client.get(edit_url(op))).inputs()

    assert words in page.words
    assert edit_url(op) in page.html
    assert (form["recipient"], form["amount"]) == (
        checksum_address(op.recipient),
        "0.25",
    )


@pytest.mark.parametrize("status", [Status.SIGNED, Status.SUBMITTED, Status.INCLUDED])
def test_a_signed_payment_is_not_changed(status, alice):
    op = make_operation(alice, status)

    assert edit_url(op) not in page_of(alice, op).html


def test_a_refused_payment_that_was_signed_is_not_changed(alice):
    op = make_operation(
        alice,
        Status.REJECTED,
        failure_code="bundler-refused",
        signed_at=timezone.now(),
    )

    page = page_of(alice, op)

    assert edit_url(op) not in page.html
    assert "Prepare again" in page.words


# --- The fragment ----------------------------------------------------------------------


@pytest.mark.parametrize("status", Status)
def test_the_fragment_is_one_element_and_is_part_of_the_page(status, alice):
    op = make_operation(alice, status)

    fragment = page_of(alice, op, "operation-card").html.strip()

    assert fragment.startswith(f'<article id="operation-{op.pk}"')
    assert fragment.endswith("</article>")
    assert fragment.count("<article") == 1
    assert "<html" not in fragment
    assert f'id="operation-{op.pk}"' in page_of(alice, op).html


def test_a_sent_one_says_who_has_it_and_that_another_way_is_tried(alice: Wallet):
    handed_at = timezone.now() - timedelta(seconds=5)
    op = make_operation(alice, Status.SUBMITTED, carrier="second", handed_at=handed_at)

    text = Page(alice.client.get(operation_url(op))).words

    assert "Handed to the second bundler 5 s ago" in text
    assert "Not included yet, trying another way." in text
    assert "Usually takes a few seconds" not in text
    assert "Handed to Second bundler, " in text
