"""One operation: its review, its authorisation, its steps, its failures."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from onchain.failures import WORDS
from onchain.models import Chain, OperationSignature, UserOperation
from onchain.progress import NAMES
from onchain.protocol.types import checksum_address
from onchain.protocol.user_operation import paymaster_and_data
from tests.onchain.test_forms import RECIPIENT
from tests.pages import Page
from tests.signing_answers import safe_operation_hash
from tests.soft_authenticator import base64url
from tests.wallets import (
    ETH,
    Status,
    Wallet,
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


# --- The review ------------------------------------------------------------------------


@pytest.mark.parametrize("is_sponsored", [True, False])
def test_the_review_shows_all_that_will_be_signed(is_sponsored, alice):
    op = make_review(alice, is_sponsored=is_sponsored, value_wei=ETH // 4)

    page = page_of(alice, op)

    gas = 90_000 + 170_001 + 55_000 + (60_000 if is_sponsored else 0)
    until = datetime.fromtimestamp(op.valid_until, UTC).isoformat()
    assert set(page.signed) == SIGNED_NAMES
    assert page.shown("recipient") == RECIPIENT
    assert page.shown("amount") == "0.25 ETH"
    assert page.shown("account") == alice.safe.address_text
    assert page.signed["chain"]["value"] == "31337"
    assert "31337" in page.shown("chain")
    assert page.shown("max-fee") == f"{exact_ether(gas * 2_000_000_007)} ETH"
    assert page.signed["payer"]["value"] == ("sponsor" if is_sponsored else "account")
    assert page.signed["valid-until"]["value"] == until


def exact_ether(wei: int) -> str:
    whole, rest = divmod(wei, ETH)
    return f"{whole}.{rest:018d}".rstrip("0").rstrip(".")


def test_the_review_is_one_form_that_signing_js_takes_over(alice):
    op = make_review(alice)

    page = page_of(alice, op)

    (form,) = page.with_attribute("data-passkey")
    assert form["data-passkey"] == "sign"
    assert form["data-request"] == "signing-request"
    assert form["method"] == "post"
    assert form["action"] == form["hx-post"] == operation_url(op, "sign")
    assert page.inputs()["credential"] == ""
    assert "Authorize with passkey" in page.words
    assert "Discard this payment" in page.words


@pytest.mark.parametrize("is_sponsored", [True, False])
def test_the_signing_request_is_the_row_and_nothing_else(is_sponsored, alice):
    op = make_review(alice, is_sponsored=is_sponsored)

    request = request_of(alice, op)

    packed = op.to_protocol()
    message = request["message"]
    assert request["kind"] == "SafeOp"
    assert request["rpId"] == "localhost"
    assert [entry["id"] for entry in request["allowCredentials"]] == [
        base64url(alice.passkey.credential_id)
    ]
    assert request["hash"] == f"0x{op.safe_operation_hash.hex()}"
    assert message["safe"] == alice.safe.address_text
    assert message["chainId"] == "31337"
    assert message["nonce"] == str(packed.nonce)
    assert message["callData"] == f"0x{bytes(op.call_data).hex()}"
    assert message["validUntil"] == str(op.valid_until)
    assert message["maxFeePerGas"] == str(op.max_fee_per_gas)
    assert (
        message["paymasterAndData"] == f"0x{paymaster_and_data(packed.paymaster).hex()}"
    )
    assert request["calls"] == [
        {
            "to": checksum_address(op.recipient),
            "valueWei": str(op.value_wei),
            "data": "0x",
        }
    ]


@pytest.mark.parametrize("is_sponsored", [True, False])
def test_eth_account_hashes_the_signing_request_to_the_same(is_sponsored, alice):
    op = make_review(alice, is_sponsored=is_sponsored)

    request = request_of(alice, op)

    assert request["hash"] == safe_operation_hash(request["message"])


def test_a_changed_row_is_never_offered_for_signing(alice):
    op = make_review(alice)
    UserOperation.objects.filter(pk=op.pk).update(max_fee_per_gas=1)
    alice.client.raise_request_exception = False

    response = alice.client.get(operation_url(op))

    assert response.status_code == 500
    assert b"signing-request" not in response.content


# --- Signing ---------------------------------------------------------------------------


def test_a_touch_signs_the_payment(alice, django_capture_on_commit_callbacks):
    op = make_review(alice)
    answer = alice.answer(request_of(alice, op))

    with django_capture_on_commit_callbacks() as nudges:
        response = alice.client.post(
            operation_url(op, "sign"),
            {"credential": answer},
            headers={"HX-Request": "true"},
        )

    op.refresh_from_db()
    assert response.status_code == 200
    assert op.status == Status.SIGNED
    assert op.signed_at is not None
    assert op.signatures.get().owner == alice.safe.owners.get()
    assert len(nudges) == 1
    page = Page(response)
    assert page.html.lstrip().startswith(f'<article id="operation-{op.pk}"')
    assert "signing-request" not in page.html
    assert "Signed done" in page.words


def test_without_htmx_a_touch_leads_back_to_the_page(alice):
    op = make_review(alice)

    response = sign(alice, op)

    assert response.status_code == 302
    assert response["Location"] == operation_url(op)


def test_a_double_click_signs_once(alice):
    op = make_review(alice)
    answer = alice.answer(request_of(alice, op))

    answers = [post(alice, op, "sign", credential=answer) for _ in range(3)]

    op.refresh_from_db()
    assert [answer.status_code for answer in answers] == [302, 302, 302]
    assert op.status == Status.SIGNED
    assert op.signatures.count() == 1


FORGERIES = {
    "another-challenge": {"challenge": b"\7" * 32},
    "a-sign-in-challenge": {"challenge": b"\7" * 64},
    "another-origin": {"origin": "https://evil.example"},
    "another-site": {"rp_id": "evil.example"},
    "a-registration": {"ceremony": "webauthn.create"},
    "no-verification": {"flags": 0x01},
    "another-signature": {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
    "an-unknown-passkey": {"credential_id": b"\1" * 32},
    "in-a-frame": {"members": {"crossOrigin": True}},
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_answer_signs_nothing_and_says_so(name, alice):
    op = make_review(alice)
    before = state(op)

    response = sign(alice, op, **FORGERIES[name])

    page = Page(response)
    assert response.status_code == 422
    assert "Nothing was signed" in page.words
    assert page.with_attribute("role")
    assert "signing-request" in page.json
    assert state(op) == before


def test_another_persons_passkey_signs_nothing(alice, bob):
    op = make_review(alice)
    before = state(op)
    answer = bob.answer(request_of(alice, op))

    response = post(alice, op, "sign", credential=answer)

    assert response.status_code == 422
    assert "not an owner" in Page(response).words
    assert state(op) == before


def test_the_answer_to_one_payment_signs_no_other(alice):
    first, second = make_review(alice), make_review(alice, lane=1)
    before = state(second)
    answer = alice.answer(request_of(alice, first))

    response = post(alice, second, "sign", credential=answer)

    assert response.status_code == 422
    assert state(second) == before


@pytest.mark.parametrize(
    "text",
    ["", "{}", "null", "[]", "{", '"x"', "\0", "x" * 16_385, '{"response": {}}', "1e9"],
)
def test_an_answer_that_cannot_be_read_signs_nothing(text, alice):
    op = make_review(alice)
    before = state(op)

    response = post(alice, op, "sign", credential=text)

    assert response.status_code == 422
    assert "Nothing was signed" in Page(response).words
    assert state(op) == before


def test_a_withdrawn_payment_is_not_signed(alice):
    op = make_review(alice)
    answer = alice.answer(request_of(alice, op))
    post(alice, op, "withdraw")
    before = state(op)

    response = post(alice, op, "sign", credential=answer)

    assert response.status_code == 409
    assert "changed in another tab" in Page(response).words
    assert state(op) == before
    assert before[1] == 0


@pytest.mark.parametrize("status", [Status.REJECTED, Status.EXPIRED, Status.REPLACED])
def test_a_payment_that_ended_is_not_signed(status, alice):
    op = make_review(alice)
    answer = alice.answer(request_of(alice, op))
    UserOperation.objects.filter(pk=op.pk).update(status=status)

    response = post(alice, op, "sign", credential=answer)

    assert response.status_code == 409
    assert OperationSignature.objects.count() == 0


def test_a_draft_is_not_signed(alice):
    op = make_operation(alice, Status.DRAFT)

    response = post(
        alice, op, "sign", credential=alice.answer({"hash": "0x" + "0" * 64})
    )

    assert response.status_code == 409
    op.refresh_from_db()
    assert op.status == Status.DRAFT


def test_a_payment_whose_time_is_over_expires_instead(alice):
    op = make_review(alice)
    answer = alice.answer(request_of(alice, op))
    Chain.objects.update(head_timestamp=op.valid_until)

    response = post(alice, op, "sign", credential=answer)

    op.refresh_from_db()
    assert response.status_code == 422
    assert "expired before it was signed" in Page(response).words
    assert op.status == Status.EXPIRED
    assert op.signatures.count() == 0


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


@pytest.mark.parametrize("code", [*WORDS, "AA99", "surprise", ""])
def test_every_failure_says_what_happened_to_the_money_and_what_to_do(code, alice):
    op = make_operation(
        alice, Status.REJECTED, failure_code=code, failure_detail="0x08c379a0 GS026"
    )

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
