"""Making a wallet an owner: its address, its proof, then the operation."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.http import HttpResponse

from onchain.models import Owner, Safe, UserOperation, WalletProof
from onchain.services import wallet_proofs
from tests.meanwhile import whenever
from tests.onchain.additions import prepared
from tests.pages import Page
from tests.wallet_keys import SoftWallet, make_wallet_owner
from tests.wallets import Wallet, operation_url
from tests.wallets import prove as say_proven

pytestmark = pytest.mark.django_db

Status = WalletProof.Status


@pytest.fixture
def wallet() -> SoftWallet:
    return SoftWallet()


def opened(alice: Wallet, wallet: SoftWallet, name: str = "wallet-owner") -> Page:
    response = alice.client.get(alice.url(name), {"wallet": wallet.address_text})
    assert response.status_code == 200
    return Page(response)


def prove(
    alice: Wallet, wallet: SoftWallet, signer: SoftWallet | None = None, **changes: Any
) -> HttpResponse:
    opened(alice, wallet)
    proof = WalletProof.objects.filter(user=alice.user).first()
    assert proof is not None
    signer = signer or wallet
    signature = "0x" + signer.sign_text(proof.text).hex()
    answer = {"account": signer.address_text, "signature": signature}
    data = {
        "wallet": wallet.address_text,
        "proof": proof.pk,
        "credential": json.dumps(answer),
    }
    return alice.post("wallet-owner-prove", data | changes)


def add(alice: Wallet, wallet: SoftWallet, **changes: Any) -> HttpResponse:
    data = {
        "wallet": wallet.address_text,
        "threshold": 1,
        "idempotency_key": uuid.uuid4(),
    }
    return alice.post("wallet-owner-add", data | changes)


def test_the_owners_page_leads_there(alice: Wallet):
    links = Page(alice.get("owners")).with_attribute("href")

    assert alice.url("wallet-owner") in {link["href"] for link in links}


def test_it_begins_with_an_address(alice: Wallet):
    page = Page(alice.get("wallet-owner"))

    assert "wallet" in page.inputs()
    assert "You still sign in here with your passkey." in page.words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Enter the wallet's address."),
        ("0x12", "An address has 40 characters after 0x; this has 2."),
        ("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cE", "The checksum does not fit"),
        ("0x" + "0" * 40, "The zero address belongs to nobody."),
        ("0x" + "0" * 39 + "1", "This address cannot be an owner."),
    ],
)
def test_a_wrong_address_is_named_in_place(alice: Wallet, text: str, words: str):
    response = alice.client.get(alice.url("wallet-owner"), {"wallet": text})

    assert response.status_code == 422
    assert words in Page(response).words
    assert not WalletProof.objects.exists()


def test_an_account_does_not_own_itself(alice: Wallet):
    wallet = {"wallet": alice.safe.address_text}

    response = alice.client.get(alice.url("wallet-owner"), wallet)

    assert "An account cannot own itself." in Page(response).words


def test_the_text_is_shown_whole_and_handed_on_unchanged(
    alice: Wallet, wallet: SoftWallet
):
    page = opened(alice, wallet)

    proof = WalletProof.objects.get()
    assert page.json["wallet-text"] == proof.text
    assert " ".join(proof.text.split()) in page.words


def test_a_proven_wallet_can_be_added(alice: Wallet, wallet: SoftWallet):
    assert prove(alice, wallet).status_code == 302

    page = opened(alice, wallet)
    assert "It has shown that it signs" in page.words
    response = add(alice, wallet)

    op = UserOperation.objects.get()
    assert response.status_code == 302
    assert (op.kind, op.new_signer) == (UserOperation.Kind.ADD_WALLET, wallet.address)
    assert not op.is_proof_waived


def test_how_many_must_approve_is_chosen_with_it_and_reviewed_before_and_after(
    alice: Wallet, wallet: SoftWallet
):
    say_proven(alice)
    prove(alice, wallet)
    page = opened(alice, wallet)
    assert "How many must approve afterwards" in page.words
    assert "1 of 22 of 2" in page.words

    assert add(alice, wallet, threshold=2).status_code == 302

    op = UserOperation.objects.get()
    assert (op.new_threshold, op.threshold_before) == (2, 1)
    review = Page(alice.client.get(operation_url(prepared(op))))
    assert "Before 1 of 1 must approve After 2 of 2 must approve" in review.words
    assert review.shown("threshold") == "2 of 2 must approve"


@pytest.mark.parametrize("threshold", ["", "0", "3", "two"])
def test_more_than_there_would_be_cannot_be_chosen(
    alice: Wallet, wallet: SoftWallet, threshold: str
):
    prove(alice, wallet)

    response = add(alice, wallet, threshold=threshold)

    assert response.status_code == 422
    assert "Choose one of these." in Page(response).words
    assert not UserOperation.objects.exists()


# R13
def test_no_more_must_approve_than_have_shown_that_they_can(
    alice: Wallet, wallet: SoftWallet
):
    say_proven(alice)
    make_wallet_owner(SoftWallet(), safe=alice.safe)  # of nobody here
    prove(alice, wallet)

    response = add(alice, wallet, threshold=3)

    assert response.status_code == 422
    assert "Only 2 of the owners have shown that they can" in Page(response).words
    assert not UserOperation.objects.exists()


def test_a_change_under_way_is_led_to_instead_of_asked_for_again(
    alice: Wallet, wallet: SoftWallet
):
    prove(alice, wallet)
    add(alice, wallet)

    page = opened(alice, wallet)

    op = UserOperation.objects.get()
    assert "The change that adds it is under way" in page.words
    assert operation_url(op) in {item["href"] for item in page.with_attribute("href")}
    assert "idempotency_key" not in page.inputs()
    assert page.with_attribute("hx-trigger")
    # On chain, and the owners are read with the next blocks.
    UserOperation.objects.update(status=UserOperation.Status.INCLUDED, block_number=7)
    for read, is_pending in ((None, True), (6, True), (7, False)):
        Safe.objects.update(owners_synced_block=read)
        words = opened(alice, wallet).words
        assert ("The change that adds it is under way" in words) is is_pending


def test_another_account_is_named_and_nothing_is_proven(
    alice: Wallet, wallet: SoftWallet
):
    other = SoftWallet()

    response = prove(alice, wallet, other)

    assert response.status_code == 422
    assert other.address_text in response.content.decode()
    assert WalletProof.objects.get().status == Status.OPEN


@pytest.mark.parametrize("text", ["", "[]", '{"signature": "0x"}'])
def test_half_an_answer_is_refused(alice: Wallet, wallet: SoftWallet, text: str):
    assert prove(alice, wallet, credential=text).status_code == 422
    assert WalletProof.objects.get().status == Status.OPEN


def test_somebody_elses_proof_is_not_found(
    alice: Wallet, bob: Wallet, wallet: SoftWallet
):
    proof = wallet_proofs.open_proof(
        user=bob.user, safe=alice.safe, address=wallet.address
    )

    assert prove(alice, wallet, proof=proof.pk).status_code == 404


def test_a_contracts_answer_is_waited_for(alice: Wallet, wallet: SoftWallet):
    prove(alice, wallet)
    WalletProof.objects.update(status=Status.SIGNED)

    page = opened(alice, wallet, "wallet-owner-card")

    assert "the contract at this address is asked" in page.words
    (card,) = page.with_attribute("hx-trigger")
    assert card["hx-get"].endswith(f"?wallet={wallet.address_text}")
    WalletProof.objects.update(status=Status.REFUSED)
    assert "The last signature was not accepted" in opened(alice, wallet).words


def test_what_the_contract_accepts_meanwhile_is_never_shown_as_refused(
    alice: Wallet, wallet: SoftWallet
):
    prove(alice, wallet)
    WalletProof.objects.update(status=Status.SIGNED)

    def accept() -> None:
        WalletProof.objects.update(status=Status.PROVEN)

    shown = list(whenever(accept, lambda: opened(alice, wallet).words))

    assert len(shown) > 5
    assert not any("was not accepted" in words for words in shown)


def test_unproven_it_takes_ones_own_word(alice: Wallet, wallet: SoftWallet):
    refused = add(alice, wallet)
    assert refused.status_code == 422
    assert "Tick this first" in Page(refused).words
    assert not UserOperation.objects.exists()

    assert add(alice, wallet, understood="on").status_code == 302

    assert UserOperation.objects.get().is_proof_waived


def test_an_owner_is_said_to_be_one(alice: Wallet, wallet: SoftWallet):
    make_wallet_owner(wallet, safe=alice.safe, holder=alice.user)

    assert "It is an owner of" in opened(alice, wallet).words


def test_an_unrecognised_owner_proves_itself_and_is_read_again(
    alice: Wallet, wallet: SoftWallet
):
    make_wallet_owner(wallet, safe=alice.safe, kind=Owner.Kind.WALLET)
    assert "add it on your own word" not in opened(alice, wallet).words

    prove(alice, wallet)

    page = opened(alice, wallet)
    assert "are read from the chain once more" in page.words
    assert page.with_attribute("hx-trigger")
