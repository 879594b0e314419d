"""R13, R14, R6 and product.md I-15: the two steps of a removal, and what is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import Credential, SecurityEvent
from onchain.models import KeyProof, Owner
from onchain.services import key_proofs
from tests.accounts.visitor import Visitor
from tests.factories import make_credential, make_operator
from tests.pages import Page
from tests.soft_authenticator import ORIGIN, RP_ID, SoftAuthenticator, base64url
from tests.wallets import Wallet, make_wallet, prove

pytestmark = [pytest.mark.django_db, pytest.mark.services]


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "WEBAUTHN_RP_ID", RP_ID)
    monkeypatch.setattr(settings, "WEBAUTHN_ORIGIN", ORIGIN)


def second_passkey(wallet: Wallet) -> tuple[SoftAuthenticator, Credential]:
    passkey = SoftAuthenticator()
    return passkey, make_credential(passkey, user=wallet.user, name="Old phone")


def own(wallet: Wallet, credential: Credential) -> Owner:
    return Owner.objects.create(
        safe=wallet.safe, credential=credential, address=b"\7" * 20, position=1
    )


def look(client: Client, credential: Credential) -> HttpResponse:
    return client.get(reverse("onchain:passkey-remove", args=[credential.pk]))


def signed_in(passkey: SoftAuthenticator) -> Client:
    visitor = Visitor()
    assert visitor.sign_in(passkey).status_code == 303
    return visitor.client


def remove(
    client: Client, credential: Credential, passkey: SoftAuthenticator, **target: Any
) -> HttpResponse:
    """Press the button of the page and touch a passkey."""
    fields = {"action": "remove-passkey", "target": credential.pk} | target
    options = client.post(reverse("step-up-begin"), fields).json()
    return client.post(
        reverse("onchain:passkey-removal-finish", args=[credential.pk]),
        {"credential": json.dumps(passkey.get(options))},
    )


def signals(response: HttpResponse) -> dict[str, Any] | None:
    return Page(response).json.get("passkey-signals")


def words(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


# --- The first step: what it touches -----------------------------------------------------


def test_the_page_names_account_address_and_balance(alice):
    _passkey, second = second_passkey(alice)
    own(alice, second)
    prove(alice)

    page = look(alice.client, alice.user.credentials.order_by("pk").first())

    assert page.status_code == 200
    text = "".join(Page(page).text.split())
    assert "Account1" in text
    assert alice.safe.address_text in text
    assert "10ETH" in text
    assert "On chain it stays an owner until the account itself removes it" in words(
        page
    )


def test_an_address_that_is_not_proven_is_not_given_whole(alice):
    page = look(alice.client, alice.user.credentials.get())

    assert alice.safe.address_text not in "".join(Page(page).text.split())


def test_a_passkey_that_only_signs_in_touches_no_account(alice):
    _passkey, second = second_passkey(alice)

    page = look(alice.client, second)

    assert "no account on chain names it" in words(page)
    assert "of its owners must sign" not in words(page)
    assert "Remove Old phone" in words(page)
    assert "remove/finish" in page.content.decode()


def test_accounts_of_others_are_named_before_the_removal(alice, bob):
    _passkey, second = second_passkey(alice)
    own(bob, second)
    carol = make_wallet()
    proof = key_proofs.open_proof(
        credential=second, safe=carol.safe, role=KeyProof.Role.GUARDIAN
    )
    KeyProof.objects.filter(pk=proof.pk).update(status=KeyProof.Status.PROVEN)

    page = look(alice.client, second)

    assert "Opened by somebody else" in words(page)
    assert "It guards for others" in words(page)
    assert carol.safe.address_text in "".join(Page(page).text.split())


def test_the_last_passkey_is_refused_with_both_reasons_and_no_button(alice):
    page = look(alice.client, alice.user.credentials.get())

    assert "It is your only passkey." in words(page)
    assert "needs 1 of its owners to sign" in words(page)
    assert "remove/finish" not in page.content.decode()


def test_looking_changes_nothing(alice):
    _passkey, second = second_passkey(alice)
    before = list(Credential.objects.order_by("pk").values())

    look(alice.client, second)

    assert list(Credential.objects.order_by("pk").values()) == before


# --- The second step ---------------------------------------------------------------------


def test_a_touch_removes_it_and_the_person_stays_signed_in(alice):
    _passkey, second = second_passkey(alice)
    client = signed_in(alice.passkey)

    response = remove(client, second, alice.passkey)

    assert response.status_code == 303
    assert response["Location"] == reverse("passkeys")
    assert not Credential.objects.filter(pk=second.pk).exists()
    (message,) = get_messages(response.wsgi_request)
    assert "“Old phone” was removed" in str(message)
    event = SecurityEvent.objects.get(kind=SecurityEvent.Kind.PASSKEY_REMOVED)
    assert (event.user, event.detail) == (alice.user, "Old phone")
    assert client.get(reverse("passkeys")).status_code == 200


def test_with_its_passkey_a_session_ends(alice):
    passkey, second = second_passkey(alice)
    elsewhere = signed_in(passkey)
    client = signed_in(alice.passkey)

    remove(client, second, alice.passkey)

    assert elsewhere.get(reverse("passkeys")).status_code == 302
    assert client.get(reverse("passkeys")).status_code == 200


def test_who_removes_the_passkey_in_the_hand_is_signed_out_and_told(alice):
    passkey, second = second_passkey(alice)
    client = signed_in(passkey)

    response = remove(client, second, passkey)

    assert response.status_code == 200
    assert "Removed, and signed out" in words(response)
    told = signals(response)
    assert told is not None
    assert told["unknown"] == [base64url(second.credential_id)]
    assert client.get(reverse("passkeys")).status_code == 302
    assert response.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 0


def test_without_a_touch_nothing_is_removed(alice):
    _passkey, second = second_passkey(alice)

    response = alice.client.post(
        reverse("onchain:passkey-removal-finish", args=[second.pk]),
        {"credential": "{}"},
    )

    assert response.status_code == 400
    assert Credential.objects.filter(pk=second.pk).exists()


def test_a_touch_for_another_passkey_removes_nothing(alice):
    _passkey, second = second_passkey(alice)
    _other, third = second_passkey(alice)

    response = remove(alice.client, second, alice.passkey, target=third.pk)

    assert response.status_code == 410
    assert Credential.objects.of(alice.user).count() == 3


def test_a_needed_passkey_is_refused_again_after_the_touch(alice):
    response = remove(alice.client, alice.user.credentials.get(), alice.passkey)

    assert response.status_code == 409
    assert "Nothing was removed. It is your only passkey." in words(response)
    assert Credential.objects.of(alice.user).count() == 1


def test_a_young_passkey_is_told_what_it_may_not(alice):
    first = alice.user.credentials.get()
    passkey, second = second_passkey(alice)
    own(alice, second)

    response = remove(alice.client, first, passkey)

    assert response.status_code == 409
    assert "less than 72 hours ago" in words(response)
    first.refresh_from_db()
    assert first.removed_at is None


@pytest.mark.parametrize("finish", [True, False])
def test_the_passkey_of_somebody_else_is_404_before_any_touch(finish, alice, bob):
    _passkey, second = second_passkey(bob)

    if finish:
        url = reverse("onchain:passkey-removal-finish", args=[second.pk])
        response = alice.client.post(url, {"credential": "{}"})
    else:
        response = look(alice.client, second)

    assert response.status_code == 404
    assert Credential.objects.filter(pk=second.pk).exists()


def test_an_operators_passkey_is_replaced_on_the_terminal():
    passkey = SoftAuthenticator()
    operator = make_operator()
    make_credential(passkey, user=operator)
    second = make_credential(user=operator)

    response = remove(signed_in(passkey), second, passkey)

    assert response.status_code == 409
    assert "create_operator" in words(response)
    assert Credential.objects.filter(user=operator).count() == 2


# --- What the provider is told -----------------------------------------------------------


def test_a_passkey_that_is_gone_is_told_once_as_unknown(alice):
    _passkey, second = second_passkey(alice)
    client = signed_in(alice.passkey)
    remove(client, second, alice.passkey)

    told = signals(client.get(reverse("passkeys")))

    assert told == {
        "rpId": RP_ID,
        "userId": base64url(alice.user.user_handle),
        "unknown": [base64url(second.credential_id)],
        "accepted": [base64url(alice.passkey.credential_id)],
        "name": alice.user.name,
        "displayName": alice.user.name,
    }
    assert signals(client.get(reverse("passkeys"))) is None


def test_an_owner_on_chain_is_never_told_as_unknown(alice):
    """Its key still signs there: a provider that deleted it would burn money."""
    _passkey, second = second_passkey(alice)
    own(alice, second)
    client = signed_in(alice.passkey)
    remove(client, second, alice.passkey)

    told = signals(client.get(reverse("passkeys")))

    assert told is not None
    assert told["unknown"] == []
    assert base64url(second.credential_id) in told["accepted"]


def test_a_new_name_is_told_when_it_is_the_passkey_in_the_hand(alice):
    _passkey, second = second_passkey(alice)
    client = signed_in(alice.passkey)
    first = alice.user.credentials.order_by("pk").first()

    def display_name(credential: Credential, name: str) -> str:
        url = reverse("passkey-rename", args=[credential.pk])
        assert client.post(url, {"name": name}).status_code == 303
        told = signals(client.get(reverse("passkeys")))
        assert told is not None
        return told["displayName"]

    assert display_name(second, "Tablet") == alice.user.name
    assert display_name(first, "Work laptop") == "Work laptop"
    assert display_name(second, "Phone") == "Work laptop"


def test_without_a_change_nothing_is_told(alice):
    assert signals(alice.client.get(reverse("passkeys"))) is None
