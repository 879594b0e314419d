"""Proving a passkey, and the address that appears afterwards (security.md R6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Credential
from onchain.models import KeyProof, Owner
from tests.factories import make_credential
from tests.pages import Page
from tests.signing_answers import key_proof_hash
from tests.soft_authenticator import base64url
from tests.wallet_keys import SoftWallet, make_wallet_owner
from tests.wallets import Wallet, make_operation, make_wallet, operation_url, prove

pytestmark = pytest.mark.django_db

PAGES = ("safe-detail", "send", "receive", "activity", "settings")
FRAGMENTS = ("safe-overview", "safe-activity", "receive-card")


def request_of(wallet: Wallet) -> dict:
    return Page(wallet.get("receive")).json["signing-request"]


def touch(wallet: Wallet, **changes):
    answer = wallet.answer(request_of(wallet), **changes)
    return wallet.post("prove", {"credential": answer})


def signed(wallet: Wallet) -> KeyProof:
    """Return a proof that the server took and the chain has not checked yet."""
    touch(wallet)
    return KeyProof.objects.get(status=KeyProof.Status.SIGNED)


def copies(page: Page) -> list[str]:
    return [element["data-copy"] for element in page.with_attribute("data-copy")]


# --- Before the proof ------------------------------------------------------------------


@pytest.mark.parametrize("is_live", [True, False])
@pytest.mark.parametrize("name", PAGES + FRAGMENTS)
def test_before_the_proof_no_page_gives_the_address(name, is_live):
    wallet = make_wallet(is_live=is_live)
    make_operation(wallet, "included")
    address = wallet.safe.address_text

    page = Page(wallet.get(name))

    assert address.lower() not in page.words.lower()
    assert address[2:].lower() not in "".join(page.words.split()).lower()
    assert address not in copies(page)
    assert "white p-3" not in page.html  # the frame of the QR code


@pytest.mark.parametrize("name", ["title", "aria-label", "alt", "value", "placeholder"])
def test_before_the_proof_no_attribute_that_is_read_aloud_holds_it(name, alice):
    for page_name in PAGES:
        page = Page(alice.get(page_name))
        for element in page.with_attribute(name):
            assert alice.safe.address_text not in element[name]


def test_before_the_proof_the_list_of_accounts_shortens_it_too(alice, bob):
    Owner.objects.filter(safe=bob.safe).update(credential=alice.user.credentials.get())

    page = Page(alice.client.get("/"))

    assert "Your accounts" in page.words
    for wallet in (alice, bob):
        assert wallet.safe.address_text not in page.words
        assert wallet.safe.address_text[-4:] in page.words


def test_before_the_proof_the_card_says_so_and_asks_for_one_touch(alice):
    page = Page(alice.get("receive"))

    text = alice.safe.address_text
    assert "not proven yet" in page.words
    assert f"{text[:6]}…{text[-4:]}" in page.words
    assert "Prove this passkey" in page.words
    assert page.shown("account") == f"{text[:6]}…{text[-4:]}"
    assert page.signed["account"]["value"] == text
    assert page.signed["role"]["value"] == "owner"
    assert "every" not in page.html


def test_the_request_is_a_key_proof_of_this_account(alice):
    request = request_of(alice)

    owner = alice.safe.owners.get()
    proof = KeyProof.objects.get()
    message = request["message"]
    assert request["kind"] == "KeyProof"
    assert [entry["id"] for entry in request["allowCredentials"]] == [
        base64url(alice.passkey.credential_id)
    ]
    assert message["account"] == alice.safe.address_text
    assert message["verifyingContract"] == owner.address_text
    assert message["role"] == "owner"
    assert int(message["x"]) == int.from_bytes(alice.passkey.x, "big")
    assert int(message["y"]) == int.from_bytes(alice.passkey.y, "big")
    assert message["nonce"] == f"0x{proof.nonce.hex()}"
    assert request["hash"] == f"0x{proof.challenge.hex()}" == key_proof_hash(message)


def test_looking_twice_asks_for_the_same_proof(alice):
    assert request_of(alice) == request_of(alice)
    assert KeyProof.objects.count() == 1


def test_a_proof_that_is_nearly_over_is_replaced(alice):
    first = request_of(alice)
    KeyProof.objects.update(expires_at=timezone.now() + timedelta(seconds=60))

    assert request_of(alice)["hash"] != first["hash"]


# --- The touch -------------------------------------------------------------------------


def test_a_touch_is_taken_and_waits_for_the_chain(
    alice, django_capture_on_commit_callbacks
):
    answer = alice.answer(request_of(alice))

    with django_capture_on_commit_callbacks() as nudges:
        response = alice.post("prove", {"credential": answer}, **{"HX-Request": "true"})

    page = Page(response)
    assert response.status_code == 200
    assert KeyProof.objects.get().status == KeyProof.Status.SIGNED
    assert len(nudges) == 1
    assert "Checking your passkey" in page.words
    assert alice.safe.address_text not in page.words
    assert "<html" not in page.html
    assert alice.safe.owners.get().proven_at is None


def test_without_htmx_a_touch_leads_back_to_the_page(alice):
    response = touch(alice)

    assert response.status_code == 302
    assert response["Location"] == alice.url("receive")


@pytest.mark.parametrize("name", ["receive", "receive-card"])
def test_the_card_polls_only_while_the_chain_checks(name, alice):
    signed(alice)

    page = Page(alice.get(name))

    (element,) = page.with_attribute("hx-trigger")[-1:]
    assert element["hx-trigger"] == "every 1s"
    assert element["hx-get"] == alice.url("receive-card")
    assert "data-request" not in page.html


@pytest.mark.parametrize("status", [KeyProof.Status.PROVEN, KeyProof.Status.REFUSED])
def test_the_card_stops_polling_when_the_chain_has_spoken(status, alice):
    signed(alice)
    KeyProof.objects.update(status=status)
    if status == KeyProof.Status.PROVEN:
        prove(alice)

    assert "every" not in Page(alice.get("receive-card")).html


def test_an_answer_that_was_checked_meanwhile_gives_the_address_at_once(alice):
    """The worker writes the proof first: between two reads, only that may be there."""
    signed(alice)
    KeyProof.objects.update(status=KeyProof.Status.PROVEN)

    page = Page(alice.get("receive-card"))

    assert alice.safe.owners.get().proven_at is None
    assert alice.safe.address_text in page.words
    assert "data-request" not in page.html
    assert KeyProof.objects.count() == 1


def test_a_refused_proof_warns_and_asks_again(alice):
    signed(alice)
    KeyProof.objects.update(status=KeyProof.Status.REFUSED)

    page = Page(alice.get("receive"))

    assert "Do not send anything to this address" in page.words
    assert "signing-request" in page.json
    assert alice.safe.address_text not in page.words


def test_one_answer_counts_once(alice):
    answer = alice.answer(request_of(alice))
    alice.post("prove", {"credential": answer})

    response = alice.post("prove", {"credential": answer})

    assert response.status_code == 422
    assert KeyProof.objects.filter(status=KeyProof.Status.SIGNED).count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"challenge": b"\7" * 32}, id="another-challenge"),
        pytest.param({"origin": "https://evil.example"}, id="another-origin"),
        pytest.param({"rp_id": "evil.example"}, id="another-site"),
        pytest.param({"flags": 0x01}, id="no-verification"),
        pytest.param({"credential_id": b"\1" * 32}, id="another-passkey"),
    ],
)
def test_a_forged_answer_proves_nothing_and_says_so(changes, alice):
    response = touch(alice, **changes)

    assert response.status_code == 422
    assert "The passkey is not proven" in Page(response).words
    assert KeyProof.objects.get().status == KeyProof.Status.OPEN
    assert alice.safe.owners.get().proven_at is None


@pytest.mark.parametrize("text", ["", "{}", "x" * 16_385, "\0", "null"])
def test_an_answer_that_cannot_be_read_proves_nothing(text, alice):
    request_of(alice)

    response = alice.post("prove", {"credential": text})

    assert response.status_code == 422
    assert KeyProof.objects.get().status == KeyProof.Status.OPEN


def test_a_late_answer_proves_nothing(alice):
    answer = alice.answer(request_of(alice))
    KeyProof.objects.update(expires_at=timezone.now())

    response = alice.post("prove", {"credential": answer})

    assert response.status_code == 422
    assert "expired" in Page(response).words
    assert not KeyProof.objects.filter(status=KeyProof.Status.SIGNED).exists()


def test_the_proof_of_one_account_proves_no_other(alice, bob):
    answer = alice.answer(request_of(alice))
    request_of(bob)

    response = bob.post("prove", {"credential": answer})

    assert response.status_code == 422
    assert not KeyProof.objects.filter(status=KeyProof.Status.SIGNED).exists()


def test_the_answer_to_a_payment_proves_nothing_and_the_other_way_round(alice):
    op = make_operation(alice, "awaiting_signatures")
    payment = Page(alice.client.get(operation_url(op))).json["signing-request"]
    proof = request_of(alice)

    as_proof = alice.post("prove", {"credential": alice.answer(payment)})
    as_payment = alice.client.post(
        operation_url(op, "sign"), {"credential": alice.answer(proof)}
    )

    assert as_proof.status_code == as_payment.status_code == 422
    assert KeyProof.objects.get().status == KeyProof.Status.OPEN


# --- After the proof -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["receive", "receive-card"])
def test_after_the_proof_the_card_gives_address_qr_and_copy(name, alice):
    prove(alice)

    page = Page(alice.get(name))

    assert alice.safe.address_text in page.words
    assert copies(page) == [alice.safe.address_text]
    assert "Copy address" in page.words
    assert page.html.count("<path") > 0
    assert "Send only on" in page.words
    assert "not proven" not in page.words
    assert "data-request" not in page.html
    assert not KeyProof.objects.exists()


def test_the_qr_code_is_drawn_without_styles(alice):
    prove(alice)

    html = Page(alice.get("receive-card")).html

    start = html.index("<svg", html.index("bg-white"))
    svg = html[start : html.index("</svg>", start)]
    assert "style" not in svg
    assert "viewBox" in svg


def test_the_settings_give_the_address_too(alice):
    prove(alice)

    page = Page(alice.get("settings"))

    assert alice.safe.address_text in page.words
    assert copies(page) == [alice.safe.address_text]


# --- A first owner that was removed -----------------------------------------------------


def test_receive_says_what_a_removed_first_owner_can_still_do(alice):
    prove(alice)
    first = alice.safe.owners.get()
    make_wallet_owner(
        SoftWallet(), safe=alice.safe, holder=alice.user, proven_at=timezone.now()
    )
    assert "on other chains" not in Page(alice.get("receive")).words

    Owner.objects.filter(pk=first.pk).update(is_current=False)

    words = Page(alice.get("receive")).words
    assert alice.safe.address_text in words
    assert "can still put an account at this same address on other chains" in words


def test_a_first_passkey_that_has_its_own_signer_now_has_not_left(alice):
    prove(alice)
    first = alice.safe.owners.get()
    Owner.objects.create(
        safe=alice.safe,
        credential=first.credential,
        address=b"\x51" * 20,
        position=0,
        proven_at=first.proven_at or timezone.now(),
    )
    Owner.objects.filter(pk=first.pk).update(is_current=False)

    assert "on other chains" not in Page(alice.get("receive")).words


# --- When none of the person's passkeys can sign any more --------------------------------


def without_a_key(wallet: Wallet) -> None:
    """Let the person sign in with another passkey, which owns nothing."""
    make_credential(user=wallet.user)
    owner = wallet.safe.owners.get()
    removed = Credential.objects.filter(pk=owner.credential_id)
    removed.update(removed_at=timezone.now())


@pytest.mark.parametrize("is_proven", [True, False])
def test_whose_keys_were_all_removed_is_told_so_and_given_no_address(alice, is_proven):
    if is_proven:
        prove(alice)
    without_a_key(alice)

    response = alice.client.get(alice.url("receive"), follow=True)

    page = Page(response)
    assert response.redirect_chain == [(alice.url("safe-detail"), 302)]
    assert "None of your passkeys can sign for this account." in page.words
    assert not KeyProof.objects.exists()


def test_who_owns_by_wallet_alone_is_given_the_address_it_has_proven(alice):
    alice.safe.owners.update(is_current=False)
    wallet = make_wallet_owner(
        SoftWallet(), safe=alice.safe, holder=alice.user, proven_at=timezone.now()
    )

    page = Page(alice.get("receive"))

    assert "Your wallet has proven that it can sign for this address." in page.words
    wallet.proven_at = None
    wallet.save(update_fields=["proven_at"])
    page = Page(alice.client.get(alice.url("receive"), follow=True))
    assert "None of your passkeys can sign for this account." in page.words


def test_whose_keys_were_all_removed_is_asked_for_no_touch(alice):
    request = request_of(alice)
    without_a_key(alice)

    card = alice.get("receive-card")
    posted = alice.post("prove", {"credential": alice.answer(request)})

    assert (card.status_code, posted.status_code) == (404, 404)
    assert KeyProof.objects.get().status == KeyProof.Status.OPEN
