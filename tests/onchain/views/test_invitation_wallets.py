"""The guest's pages of accepting an invitation with a browser wallet (R6, R62)."""

from __future__ import annotations

import json

import pytest
from django.http import HttpResponse
from django.urls import reverse

from onchain.models import Invitation, Role, WalletProof
from onchain.services import invitations
from tests.pages import Page
from tests.wallet_keys import SoftWallet
from tests.wallets import Wallet, make_invitation

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet() -> SoftWallet:
    return SoftWallet()


def url_of(invitation: Invitation, name: str = "invitation-wallet") -> str:
    return reverse(f"onchain:{name}", args=[invitation.pk])


def opened(guest: Wallet, invitation: Invitation, wallet: SoftWallet) -> Page:
    response = guest.client.get(url_of(invitation), {"wallet": wallet.address_text})
    assert response.status_code == 200
    return Page(response)


def accept(
    guest: Wallet,
    invitation: Invitation,
    wallet: SoftWallet,
    signer: SoftWallet | None = None,
) -> HttpResponse:
    opened(guest, invitation, wallet)
    proof = WalletProof.objects.get(user=guest.user)
    signer = signer or wallet
    signature = "0x" + signer.sign_text(proof.text).hex()
    answer = {"account": signer.address_text, "signature": signature}
    data = {
        "wallet": wallet.address_text,
        "proof": proof.pk,
        "credential": json.dumps(answer),
    }
    return guest.client.post(url_of(invitation, "invitation-wallet-accept"), data)


def test_the_guests_page_leads_there_unless_one_only_looks(alice: Wallet, bob: Wallet):
    for role in (Role.OWNER, Role.APPROVER, Role.VIEWER):
        invitation = make_invitation(alice, guest=bob, role=role)
        page = Page(bob.client.get(url_of(invitation, "invitation")))
        links = {link["href"] for link in page.with_attribute("href")}
        assert (url_of(invitation) in links) is (role != Role.VIEWER)


def test_the_page_shows_the_text_of_exactly_this_account(
    alice: Wallet, bob: Wallet, wallet: SoftWallet
):
    page = opened(bob, make_invitation(alice, guest=bob), wallet)

    (text,) = page.json.values()
    assert f"Account: {alice.safe.address_text}" in text
    assert f"Wallet: {wallet.address_text}" in text
    assert " ".join(text.split()) in page.words


def test_both_see_the_words_of_the_wallet_that_signed(
    alice: Wallet, bob: Wallet, wallet: SoftWallet
):
    invitation = make_invitation(alice, guest=bob)

    response = accept(bob, invitation, wallet)

    assert response["Location"] == url_of(invitation, "invitation")
    invitation.refresh_from_db()
    assert invitation.address == wallet.address
    place = [31337, alice.safe.address_text, invitation.pk]
    theirs = Page(bob.client.get(url_of(invitation, "invitation")))
    ours = Page(alice.client.get(reverse("onchain:invited", args=place)))
    for page in (theirs, ours):
        assert wallet.address_text in page.text
        for word in invitations.words_of(invitation):
            assert word in page.words


def test_a_signature_of_another_account_is_said_and_accepts_nothing(
    alice: Wallet, bob: Wallet, wallet: SoftWallet
):
    invitation, other = make_invitation(alice, guest=bob), SoftWallet()

    response = accept(bob, invitation, wallet, other)

    assert response.status_code == 422
    assert other.address_text in Page(response).words
    invitation.refresh_from_db()
    assert invitation.status == Invitation.Status.OPEN


@pytest.mark.parametrize("text", ["", "0x12", "0x" + "00" * 20])
def test_what_is_no_address_of_a_wallet_is_422(text: str, alice: Wallet, bob: Wallet):
    invitation = make_invitation(alice, guest=bob)

    response = bob.client.get(url_of(invitation), {"wallet": text})

    assert response.status_code == 422
    assert not WalletProof.objects.exists()


def test_a_viewers_or_a_revoked_invitation_has_no_such_page(alice: Wallet, bob: Wallet):
    viewers = make_invitation(alice, guest=bob, role=Role.VIEWER)
    revoked = make_invitation(alice, guest=bob)
    invitations.revoke(invitation=revoked, user=alice.user)

    for invitation in (viewers, revoked):
        assert bob.client.get(url_of(invitation)).status_code == 404
