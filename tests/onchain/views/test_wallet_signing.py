"""Approving with a browser wallet, on the page of the review."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpResponse

from onchain.models import OperationSignature, Owner, Safe, UserOperation
from onchain.models.operation_states import Status
from tests.onchain.views.test_review import page_of, post
from tests.pages import Page
from tests.wallet_keys import SoftWallet, make_wallet_owner
from tests.wallets import Wallet, make_review, operation_url

pytestmark = pytest.mark.django_db

SOON = "every 1s"


@pytest.fixture
def wallet(alice: Wallet) -> SoftWallet:
    wallet = SoftWallet()
    make_wallet_owner(wallet, safe=alice.safe, holder=alice.user)
    return wallet


def answered(
    alice: Wallet, op: UserOperation, wallet: SoftWallet, **changes: Any
) -> HttpResponse:
    answer = {
        "account": wallet.address_text,
        "signature": "0x" + wallet.sign_hash(bytes(op.safe_operation_hash)).hex(),
    }
    text = json.dumps(answer | changes)
    return post(alice, op, "sign-with-wallet", credential=text)


def test_the_review_offers_the_wallet_beside_the_passkey(
    alice: Wallet, wallet: SoftWallet
):
    page = page_of(alice, make_review(alice))

    assert page.json["signing-request"]["wallets"] == [wallet.address_text]
    assert "Authorize with passkey" in page.words
    assert "Approve with your wallet" in page.words
    (form,) = page.with_attribute("data-shown")
    assert form["data-passkey"] == "sign-wallet"
    assert form["data-shown"] in {item["id"] for item in page.with_attribute("id")}


def test_without_a_wallet_nothing_is_said_of_one(alice: Wallet):
    page = page_of(alice, make_review(alice))

    assert page.json["signing-request"]["wallets"] == []
    assert "wallet of yours" not in page.words


def test_who_owns_by_wallet_alone_signs_with_it(alice: Wallet, wallet: SoftWallet):
    op = make_review(alice)
    Owner.objects.filter(credential__isnull=False).update(is_current=False)

    page = page_of(alice, op)

    assert "Your passkey signs you in here" in page.words
    assert "Authorize with passkey" not in page.words
    assert answered(alice, op, wallet).status_code == 302
    op.refresh_from_db()
    assert op.status == Status.SIGNED


def test_the_wallets_answer_is_kept_and_said(alice: Wallet, wallet: SoftWallet):
    op = make_review(alice)
    Safe.objects.update(threshold=2)

    response = answered(alice, op, wallet)

    assert response.status_code == 302
    assert OperationSignature.objects.get().owner.address == wallet.address
    page = page_of(alice, op)
    assert "Approved" in page.words
    assert "Approve with your wallet" not in page.words
    assert "Authorize with passkey" in page.words


def test_another_account_is_named_in_place(alice: Wallet, wallet: SoftWallet):
    op, other = make_review(alice), SoftWallet()

    response = answered(alice, op, other)

    text = response.content.decode()
    assert response.status_code == 422
    assert wallet.address_text in text
    assert other.address_text in text
    assert not OperationSignature.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"account": "0x12", "signature": "0x"}',
        '{"account": 5, "signature": 6}',
        '{"signature": "0x12"}',
    ],
)
def test_half_an_answer_is_refused(alice: Wallet, wallet: SoftWallet, text: str):
    op = make_review(alice)

    response = post(alice, op, "sign-with-wallet", credential=text)

    assert response.status_code == 422
    assert not OperationSignature.objects.exists()


@pytest.fixture
def contract(alice: Wallet) -> SoftWallet:
    """A second owner of Alice's that is a contract."""
    contract = SoftWallet()
    kind = Owner.Kind.CONTRACT
    make_wallet_owner(contract, safe=alice.safe, holder=alice.user, kind=kind)
    return contract


def polled(alice: Wallet, op: UserOperation) -> HttpResponse:
    """Ask what the open card asks by itself."""
    page = page_of(alice, op)
    url, trigger = next(
        (item["hx-get"], item["hx-trigger"]) for item in page.with_attribute("hx-get")
    )
    assert (url, trigger) == (f"{operation_url(op, 'operation-card')}?checking", SOON)
    return alice.client.get(url, headers={"HX-Request": "true"})


@pytest.mark.parametrize("is_passkey_there", [True, False])
def test_a_contracts_answer_waits_for_the_chain_and_the_card_looks_again(
    alice: Wallet, contract: SoftWallet, is_passkey_there: bool
):
    """Beside a form that may be signed just now too: it stays as it is meanwhile."""
    op = make_review(alice)
    passkeys = Owner.objects.filter(credential__isnull=False)
    passkeys.update(is_current=is_passkey_there)

    assert answered(alice, op, contract).status_code == 302

    page = page_of(alice, op)
    assert "whether this contract accepts its signature" in page.words
    assert ("Authorize with passkey" in page.words) is is_passkey_there
    op.refresh_from_db()
    assert op.status == Status.AWAITING_SIGNATURES
    assert polled(alice, op).status_code == 204
    OperationSignature.objects.update(voided_at="2026-01-01T00:00Z")
    url = f"{operation_url(op, 'operation-card')}?checking"
    last = Page(alice.client.get(url))
    assert "did not accept the last signature" in last.words
    assert not last.with_attribute("hx-trigger")


def test_the_card_of_a_checked_answer_is_the_next_one(
    alice: Wallet, contract: SoftWallet
):
    op = make_review(alice)
    Safe.objects.update(threshold=2)
    answered(alice, op, contract)
    assert polled(alice, op).status_code == 204
    OperationSignature.objects.update(is_checked=True)

    url = f"{operation_url(op, 'operation-card')}?checking"
    page = Page(alice.client.get(url))

    assert "1 of 2 approved" in page.words
    assert not page.with_attribute("hx-trigger")
    UserOperation.objects.update(status=Status.WITHDRAWN)
    assert alice.client.get(url).status_code == 200


def test_somebody_elses_operation_does_not_exist(
    alice: Wallet, bob: Wallet, wallet: SoftWallet
):
    op = make_review(alice)

    response = bob.client.post(operation_url(op, "sign-with-wallet"), {})

    assert response.status_code == 404
