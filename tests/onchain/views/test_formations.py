"""The pages of an account that forms: the whole list for all, an address for nobody."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.http import HttpResponse
from django.urls import reverse

from onchain.models import Formation, KeyProof, Owner, Safe
from onchain.services import forming_accounts
from onchain.templatetags.display import key_fingerprint
from tests.factories import make_operator
from tests.meanwhile import whenever
from tests.pages import Page
from tests.soft_authenticator import base64url
from tests.wallet_keys import SoftWallet
from tests.wallets import RECIPIENT, Wallet, make_formation

pytestmark = pytest.mark.django_db

LINK = re.compile(r"/invitation#([\w-]{43})")


def begin(wallet: Wallet, **changes: object) -> HttpResponse:
    data = {
        "name": "Us",
        "passkeys": [wallet.user.credentials.get().pk],
        "people": "Bob",
        "wallets": "",
        "threshold": 2,
        "idempotency_key": str(uuid.uuid4()),
    }
    url = reverse("onchain:account-shared")
    return wallet.client.post(url, data | changes)


def page(name: str, formation: Formation) -> str:
    return reverse(f"onchain:{name}", args=[formation.pk])


def seat_bob(alice: Wallet, bob: Wallet) -> Formation:
    """Walk the link of the empty place, over HTTP."""
    formation = make_formation(alice, people=["Bob"])
    seat = formation.seats.get(credential=None)
    shown = alice.client.post(page("formation-link", formation), {"seat": seat.pk})
    token = LINK.findall(shown.content.decode())[0]
    opened = bob.client.post(reverse("onchain:invitation-open"), {"token": token})
    bob.client.post(f"{opened['Location']}accept")
    formation.refresh_from_db()
    return formation


def confirm(wallet: Wallet, formation: Formation, **changes: str) -> HttpResponse:
    context = wallet.client.get(page("formation", formation)).context
    challenge = bytes.fromhex(context["signing_request"]["hash"][2:])
    answer = wallet.passkey.get({"challenge": base64url(challenge)})
    data = {
        "credential": json.dumps(answer),
        "account": context["account"].address_text,
    }
    return wallet.client.post(page("formation-confirm", formation), data | changes)


def test_a_valid_form_begins_one_account_however_often_it_is_sent(alice):
    key = str(uuid.uuid4())

    answers = [begin(alice, idempotency_key=key) for _ in range(2)]

    formation = Formation.objects.get()
    assert {answer["Location"] for answer in answers} == {page("formation", formation)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"people": ""}, "two owners or more"),
        ({"threshold": 5}, "can be asked"),
        ({"wallets": "0x12"}, "Line 1: An address has 40"),
        ({"wallets": f"{RECIPIENT}\n{RECIPIENT}", "vouched": "on"}, "twice"),
        ({"wallets": RECIPIENT, "own_wallets": RECIPIENT, "vouched": "on"}, "twice"),
        ({"own_wallets": "0x12"}, "Line 1: An address has 40"),
        ({"wallets": RECIPIENT}, "Tick that you vouch"),
        ({"passkeys": [10**9]}, "not one of yours"),
    ],
)
def test_a_list_that_cannot_be_is_said_with_words(changes, words, alice):
    response = begin(alice, **changes)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Formation.objects.exists()


def test_somebody_elses_passkey_is_no_owner_of_mine(alice, bob):
    response = begin(alice, passkeys=[bob.user.credentials.get().pk])

    assert response.status_code == 422


def test_both_see_the_whole_list_and_the_same_words(alice, bob):
    formation = seat_bob(alice, bob)

    seen = [
        wallet.client.get(page("formation", formation)).context
        for wallet in (alice, bob)
    ]

    assert seen[0]["words"] == seen[1]["words"]
    assert len(seen[0]["words"]) == 6
    assert [len(context["places"]) for context in seen] == [2, 2]
    said = Page(bob.client.get(page("formation", formation))).words
    assert "The owners of Us" in said


def test_both_confirm_once_and_the_account_is_queued(alice, bob):
    formation = seat_bob(alice, bob)
    for wallet in (alice, bob):
        assert confirm(wallet, formation).status_code == 302
    KeyProof.objects.update(status=KeyProof.Status.PROVEN)
    Owner.objects.filter(safe=formation.safe).update(
        proven_at=KeyProof.objects.latest("pk").signed_at
    )
    forming_accounts.complete(safe=formation.safe)

    response = alice.client.get(page("formation", formation))

    assert "Everybody confirmed it" in response.content.decode()
    assert Safe.objects.get(pk=formation.safe_id).status == Safe.Status.QUEUED


def test_whose_proof_is_accepted_meanwhile_is_not_asked_again(alice, bob):
    formation = seat_bob(alice, bob)
    confirm(alice, formation)
    signed = KeyProof.objects.get(status=KeyProof.Status.SIGNED)

    def accept() -> None:
        KeyProof.objects.filter(pk=signed.pk).update(status=KeyProof.Status.PROVEN)
        Owner.objects.filter(address=signed.signer).update(proven_at=signed.signed_at)

    def look() -> str:
        return alice.client.get(page("formation", formation)).content.decode()

    shown = list(whenever(accept, look))

    assert len(shown) > 5
    assert not any("Confirm this list" in html for html in shown)


def test_a_list_that_was_changed_meanwhile_is_not_confirmed(alice, bob):
    formation = seat_bob(alice, bob)
    before = formation.safe.address_text
    alice.client.post(page("formation-change", formation), {"threshold": 1})

    response = confirm(bob, formation, account=before)

    assert response.status_code == 422
    assert "The list was changed" in response.content.decode()


def test_a_forming_address_is_nowhere_whole_and_has_neither_copy_nor_qr(alice, bob):
    formation = seat_bob(alice, bob)
    text = formation.safe.address_text

    html = bob.client.get(page("formation", formation)).content.decode()

    # As what the passkey signs it stands in attributes; nobody reads those.
    shown = re.sub(r"<script.*?</script>|<[^>]*>", "", html, flags=re.S)
    assert text not in shown
    assert "data-copy" not in html
    assert "not proven yet" in html


@pytest.mark.parametrize("name", ["safe-detail", "send", "receive", "invite"])
def test_the_pages_of_a_forming_account_lead_to_its_list(name, alice, bob):
    formation = seat_bob(alice, bob)
    safe = formation.safe
    url = reverse(f"onchain:{name}", args=[31337, safe.address_text])

    response = bob.client.get(url)

    assert response.status_code == 302
    assert response["Location"] == page("formation", formation)


def test_the_settings_and_the_export_give_no_forming_address(alice, bob):
    formation = seat_bob(alice, bob)
    Owner.objects.filter(safe=formation.safe).update(proven_at=formation.created_at)
    text = formation.safe.address_text
    url = reverse("onchain:settings", args=[31337, text])

    settings = alice.client.get(url).content.decode()
    export = alice.client.get(reverse("passkeys-export")).content.decode()

    assert f'data-copy="{text}"' not in settings
    assert text not in export


def test_the_start_page_leads_everybody_to_what_is_forming(alice, bob):
    waiting = make_formation(alice, people=["Bob"])
    formation = seat_bob(alice, bob)

    ours = alice.client.get("/").content.decode()
    theirs = bob.client.get("/").content.decode()

    assert page("formation", waiting) in ours
    assert page("formation", formation) in ours
    assert page("formation", formation) in theirs
    assert page("formation", waiting) not in theirs


def test_an_operator_makes_no_account(client):
    client.force_login(make_operator())

    assert client.get(reverse("onchain:account-shared")).status_code == 403


def test_the_maker_gives_it_up_and_its_guest_reads_so(alice, bob):
    formation = seat_bob(alice, bob)

    alice.client.post(page("formation-cancel", formation))

    html = bob.client.get(page("formation", formation)).content.decode()
    assert "Given up" in html
    assert "/invitations/" not in bob.client.get("/", follow=True).content.decode()


def test_every_owner_reads_the_fingerprint_of_every_key(alice, bob):
    formation = seat_bob(alice, bob)
    keys = [key_fingerprint(wallet.user.credentials.get()) for wallet in (alice, bob)]

    for wallet in (alice, bob):
        html = wallet.client.get(page("formation", formation)).content.decode()
        assert all(key in html for key in keys)


# --- Wallets ----------------------------------------------------------------------------


def sign(
    wallet: Wallet, formation: Formation, key: SoftWallet, **changes: str
) -> HttpResponse:
    """Sign the text that the page shows, with the wallet."""
    found = Page(wallet.client.get(page("formation", formation)))
    (text,) = found.json.values()
    answer = {
        "account": key.address_text,
        "signature": "0x" + key.sign_text(text).hex(),
    }
    data = {"proof": found.inputs()["proof"], "credential": json.dumps(answer)}
    return wallet.client.post(page("formation-prove", formation), data | changes)


def seat_wallet(alice: Wallet, bob: Wallet, key: SoftWallet) -> Formation:
    """Open the link of the empty place, and take it with a wallet."""
    formation = make_formation(alice, people=["Bob"])
    seat = formation.seats.get(credential=None)
    shown = alice.client.post(page("formation-link", formation), {"seat": seat.pk})
    token = LINK.findall(shown.content.decode())[0]
    url = bob.client.post(reverse("onchain:invitation-open"), {"token": token})
    place = f"{url['Location']}wallet/"
    step = Page(bob.client.get(place, {"wallet": key.address_text}))
    assert "confirms the list by signing a text" in step.words
    answer = bob.client.post(f"{place}accept", {"wallet": key.address_text})
    assert answer["Location"] == url["Location"]
    formation.refresh_from_db()
    return formation


def test_a_guests_wallet_takes_the_place_and_confirms_the_list(alice, bob):
    key = SoftWallet()
    formation = seat_wallet(alice, bob, key)

    response = sign(bob, formation, key)

    assert response.status_code == 302
    owner = formation.safe.owners.get(address=key.address)
    assert owner.proven_at is not None
    places = alice.client.get(page("formation", formation)).context["places"]
    assert [place.is_confirmed for place in places] == [False, True]


def test_another_account_of_the_wallet_confirms_nothing(alice, bob):
    key, other = SoftWallet(), SoftWallet()
    formation = seat_wallet(alice, bob, key)

    response = sign(bob, formation, other)

    assert response.status_code == 422
    assert other.address_text in Page(response).words
    assert not formation.safe.owners.exclude(proven_at=None).exists()


def test_what_a_wallet_signed_for_another_list_confirms_nothing(alice, bob):
    key = SoftWallet()
    formation = seat_wallet(alice, bob, key)
    before = Page(bob.client.get(page("formation", formation))).inputs()["proof"]
    alice.client.post(page("formation-change", formation), {"threshold": 1})
    formation.refresh_from_db()

    response = sign(bob, formation, key, proof=before)

    assert response.status_code == 422
    assert "The list was changed" in response.content.decode()
    assert not formation.safe.owners.exclude(proven_at=None).exists()


def test_everybody_reads_who_vouches_for_an_address_of_nobody_here(alice, bob):
    begin(alice, wallets=RECIPIENT, vouched="on")
    formation = Formation.objects.get()

    shown = Page(alice.client.get(page("formation", formation)))

    words = f"It has not shown that it signs. {alice.user.name} vouches for it."
    assert words in shown.words


def test_the_makers_wallet_is_asked_after_their_passkey(alice):
    key = SoftWallet()
    begin(alice, people="", own_wallets=key.address_text)
    formation = Formation.objects.get()
    assert confirm(alice, formation).status_code == 302

    assert sign(alice, formation, key).status_code == 302

    assert formation.safe.owners.get(address=key.address).holder == alice.user
