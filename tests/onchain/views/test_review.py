"""Reviewing a payment and authorising it with a touch."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from onchain.models import (
    Chain,
    OperationSignature,
    Sponsorship,
    Unsponsored,
    UserOperation,
)
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


@pytest.mark.parametrize("reason", Unsponsored)
def test_the_review_says_why_the_account_pays(reason, alice):
    op = make_review(alice, is_sponsored=False)
    UserOperation.objects.update(unsponsored_reason=reason)

    page = page_of(alice, op)

    fee = f"{exact_ether(op.max_cost_wei)} ETH"
    assert f"The account pays the fee: up to {fee}. {reason.label}" in page.words
    assert page.signed["payer"]["value"] == "account"


def test_without_a_sponsor_the_review_says_who_pays_and_nothing_else(alice):
    op = make_review(alice, is_sponsored=False)

    page = page_of(alice, op)

    assert "Paid from your account, on top of the amount. From" in page.words


def test_the_review_names_a_paymaster_service(alice):
    op = make_review(alice)
    Sponsorship.objects.create(
        operation=op,
        safe=alice.safe,
        chain=alice.safe.chain,
        pool=Sponsorship.Pool.ESTABLISHED,
        signers=1,
        sponsor_name="Gas & Co",
        reserved_wei=1,
        valid_until=op.valid_until,
    )

    page = page_of(alice, op)

    assert "Paid by Gas & Co. Nothing is taken from your account." in page.words
    assert f"Paymaster {checksum_address(op.paymaster)}" in page.words


def exact_ether(wei: int) -> str:
    whole, rest = divmod(wei, ETH)
    return f"{whole}.{rest:018d}".rstrip("0").rstrip(".")


def test_the_review_is_one_form_that_signing_js_takes_over(alice):
    op = make_review(alice)

    page = page_of(alice, op)

    (form,) = page.with_attribute("data-request")
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
