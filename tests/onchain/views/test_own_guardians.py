"""A person's own other keys as guardians: offered, warned of, counted honestly."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from onchain.models import Guardian, KeyProof, Safe, UserOperation, WalletProof
from onchain.models.owner import public_key_of
from onchain.protocol.types import Address, checksum_address
from onchain.services import guardian_candidates, signers
from tests.factories import make_credential, make_user
from tests.onchain.services.guarding import MODULE
from tests.pages import Page
from tests.soft_authenticator import SoftAuthenticator
from tests.wallets import Wallet

pytestmark = pytest.mark.django_db
WALLET = b"\x3a" * 20


def second_passkey(wallet: Wallet, name: str = "Old phone") -> SoftAuthenticator:
    """Return a passkey of the person's that owns nothing."""
    passkey = SoftAuthenticator()
    make_credential(passkey, user=wallet.user, name=name)
    return passkey


def signer_of(wallet: Wallet, passkey: SoftAuthenticator) -> Address:
    credential = wallet.user.credentials.get(credential_id=passkey.credential_id)
    return signers.signer_for(public_key=public_key_of(credential), safe=wallet.safe)


def prove(wallet: Wallet, passkey: SoftAuthenticator) -> Page:
    """Open the page of this passkey, touch it, and return where that leads."""
    credential = wallet.user.credentials.get(credential_id=passkey.credential_id)
    url = f"{wallet.url('guardian-passkey')}?passkey={credential.pk}"
    request = Page(wallet.client.get(url)).json["signing-request"]
    assert request["message"]["role"] == "guardian"
    owner, wallet.passkey = wallet.passkey, passkey
    answer = wallet.answer(request)
    wallet.passkey = owner
    fields = {"passkey": credential.pk, "credential": answer}
    response = wallet.post("guardian-passkey-prove", fields)
    assert response.status_code == 302
    return Page(wallet.client.get(response["Location"]))


def test_another_passkey_of_ones_own_is_offered_with_its_warning(alice: Wallet):
    assert "You have none" in Page(alice.get("guardian-passkey")).words
    passkey = second_passkey(alice)
    page = Page(alice.get("guardian-passkey"))
    assert "Old phone" in page.words
    assert "Whoever takes that device" in page.words

    waiting = prove(alice, passkey)

    text = checksum_address(signer_of(alice, passkey))
    assert "The chain is asked" in waiting.words
    fragment = alice.get("guardian-checks")
    assert "every 1s" in fragment.text
    KeyProof.objects.update(status=KeyProof.Status.PROVEN)
    fragment = alice.get("guardian-checks")
    assert "every 1s" not in fragment.text
    assert alice.url("recovery-set-up") in fragment.text
    page = Page(alice.get("recovery-set-up"))
    assert text in [item["value"] for item in page.with_attribute("checked")]
    assert "Your own passkey: whoever takes it is a guardian then" in page.words
    chosen = {"guardians": [text], "threshold": 1, "delay": 180, "unwarned": "on"}
    key = {"idempotency_key": "5c1f8a52-6d0e-4c3e-9d67-0d7f2b9f3b11"}
    assert alice.post("recovery-set-up", chosen | key).status_code == 302
    assert UserOperation.objects.get().guardians == [text]


def test_what_owns_or_guards_already_is_not_offered(alice: Wallet, bob: Wallet):
    guarding, free = second_passkey(alice, "Guarding"), second_passkey(alice, "Free")
    second_passkey(bob, "Bob's")
    setup = alice.safe.recovery_setups.create(module=MODULE, threshold=1)
    Guardian.objects.create(
        setup=setup, address=signer_of(alice, guarding), position=0, kind="passkey"
    )

    own = guardian_candidates.own_passkeys(safe=alice.safe, user=alice.user)

    assert [each.name for each in own] == ["Free"]
    owner = alice.user.credentials.get(credential_id=alice.passkey.credential_id)
    for pk in (owner.pk, bob.user.credentials.last().pk, "x"):
        page = alice.client.get(f"{alice.url('guardian-passkey')}?passkey={pk}")
        assert "signing-request" not in page.text
    answer = {
        "passkey": owner.pk,
        "credential": json.dumps(free.get({"challenge": "AA"})),
    }
    assert alice.post("guardian-passkey-prove", answer).status_code == 422
    assert not KeyProof.objects.filter(role="guardian").exists()


def test_what_did_not_sign_is_said_where_it_is_waited_for(alice: Wallet):
    proof = WalletProof.objects.create(
        user=alice.user,
        safe=alice.safe,
        address=WALLET,
        role="guardian",
        nonce=b"\1" * 32,
        text="text",
        status=WalletProof.Status.SIGNED,
        expires_at=timezone.now(),
        signed_at=timezone.now(),
    )
    assert "every 1s" in alice.get("recovery-set-up").text

    WalletProof.objects.filter(pk=proof.pk).update(status="refused")

    fragment = alice.get("guardian-checks")
    assert "did not sign" in fragment.text
    assert "every 1s" not in fragment.text


def test_keys_of_the_owners_are_counted_as_such(alice: Wallet):
    Safe.objects.filter(pk=alice.safe.pk).update(name="Savings")
    setup = alice.safe.recovery_setups.create(
        module=MODULE, threshold=2, is_enabled=True, read_block=1
    )
    for place, holder in enumerate([alice.user, make_user(), make_user()]):
        Guardian.objects.create(
            setup=setup,
            address=bytes([place + 1]) * 20,
            position=place,
            kind="wallet",
            holder=holder,
        )
    words = Page(alice.get("recovery")).words
    assert "1 of these guardians is a key of the owners themselves" in words
    assert "too few" not in words

    setup.guardians.filter(position=2).update(holder=alice.user)

    words = Page(alice.get("recovery")).words
    assert "2 of these guardians are keys of the owners themselves" in words
    assert "too few" in words
