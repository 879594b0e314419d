"""Pages for who lost an account, and for who is asked to help."""

from __future__ import annotations

import json

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onchain.models import (
    AccountClaim,
    Chain,
    KeyProof,
    RecoveryClaim,
    RecoveryLookup,
    Safe,
)
from onchain.protocol.types import checksum_address
from onchain.recovery_words import STOPS
from onchain.services import key_proofs, recovery_claims
from onchain.templatetags.display import grouped_address
from tests import claims
from tests.factories import assertion_text, make_user, the_chain
from tests.pages import Page
from tests.soft_authenticator import SoftAuthenticator
from tests.wallets import Wallet, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def chain(db: None) -> Chain:
    return the_chain()


ELSEWHERE = checksum_address(b"\x5a" * 20)


def grouped(address: str) -> str:
    """Return an address as pages write it."""
    return " ".join(Page(HttpResponse(grouped_address(address))).words.split())


def look_up(client: Client, address: str, status: int = 200) -> Page:
    answer = client.get(reverse("onchain:recover"), {"account": address})
    assert answer.status_code == status
    return Page(answer)


def found(address: str, **fields: object) -> RecoveryLookup:
    """Let the worker have read an address."""
    rows = RecoveryLookup.objects.filter(address=bytes.fromhex(address[2:]))
    setup = {
        "module": checksum_address(claims.MODULE),
        "delay": 180,
        "threshold": 2,
        "guardians": [checksum_address(bytes([n]) * 20) for n in (1, 2, 3)],
        "has_begun": False,
    }
    defaults = {
        "status": "found",
        "owners": [checksum_address(b"\x09" * 20)],
        "threshold": 1,
        "setups": [setup],
        "asked_at": timezone.now(),
    }
    rows.update(**defaults | fields)
    return rows.get()


def test_an_account_of_this_site_and_one_of_elsewhere_answer_the_same(alice: Wallet):
    pages = {}
    for address in (alice.safe.address_text, ELSEWHERE):
        assert "Reading the chain" in look_up(Client(), address).words
        found(address)
        words = look_up(Client(), address).words
        assert "2 of 3 guardians, after a delay of 3 minutes" in words
        pages[address] = words.replace(grouped(address), "it")

    assert len(set(pages.values())) == 1
    assert alice.safe.name not in next(iter(pages.values()))


def test_without_guardians_it_says_that_nobody_can(subtests: pytest.Subtests):
    look_up(Client(), ELSEWHERE)
    found(ELSEWHERE, setups=[])

    page = look_up(Client(), ELSEWHERE)

    assert "nobody can open this account" in page.words
    assert "is a thief" in page.words
    assert "Ask the guardians" not in page.words


def test_co_owners_who_suffice_come_first():
    look_up(Client(), ELSEWHERE)
    owners = [checksum_address(bytes([n]) * 20) for n in (7, 8, 9)]
    found(ELSEWHERE, owners=owners, threshold=2)

    assert (
        "Your co-owners can replace your key now" in look_up(Client(), ELSEWHERE).words
    )
    found(ELSEWHERE, owners=owners[:2], threshold=2)
    assert "co-owners" not in look_up(Client(), ELSEWHERE).words


def test_what_is_no_address_is_said_and_a_stranger_is_led_to_a_passkey():
    page = look_up(Client(), "0x12", status=422)
    assert "An address has 40 characters" in page.words

    look_up(Client(), ELSEWHERE)
    found(ELSEWHERE)
    begun = Client().post(reverse("onchain:recover-begin"), {"account": ELSEWHERE})
    assert "next=" in begun["Location"]
    assert not RecoveryClaim.objects.exists()


# --- The claimant -----------------------------------------------------------------------


def begin(bob: Wallet, address: str) -> RecoveryClaim:
    look_up(bob.client, address)
    found(address)
    bob.client.post(reverse("onchain:recover-begin"), {"account": address})
    return RecoveryClaim.objects.get()


def url(name: str, pk: int) -> str:
    return reverse(f"onchain:{name}", args=[pk])


def prove(claim: RecoveryClaim, key: SoftAuthenticator) -> None:
    """Touch the new passkey; the chain says that it signs."""
    safe = Safe.objects.get(address=claim.lookup.address)
    proof = key_proofs.open_proof(credential=claim.credential, safe=safe)
    key_proofs.answer(
        credential=claim.credential,
        safe=safe,
        response=assertion_text(key, bytes(proof.challenge)),
    )
    KeyProof.objects.filter(pk=proof.pk).update(status="proven")


def test_a_claim_goes_from_the_proof_to_the_owners_and_to_the_chain(bob: Wallet):
    claim = begin(bob, ELSEWHERE)
    page = Page(bob.client.get(url("recovery-claim", claim.pk)))
    assert page.json["signing-request"]["kind"] == "KeyProof"
    assert page.shown("role") == "owner"
    assert bob.client.get(f"/safes/31337/{ELSEWHERE}/").status_code == 404

    prove(claim, bob.passkey)
    page = Page(bob.client.get(url("recovery-claim", claim.pk)))
    assert "Who shall own the account" in page.words
    fields = {"module": checksum_address(claims.MODULE), "threshold": "1"}
    bob.client.post(url("recovery-claim-ask", claim.pk), fields)

    row = AccountClaim.objects.get()
    assert row.status == AccountClaim.Status.CHECKING
    assert row.new_owners == [checksum_address(row.new_signer)]
    page = Page(bob.client.get(url("recovery-claim", claim.pk)))
    assert "Asking the chain" in page.words


def test_a_list_that_cannot_be_is_refused_in_words(bob: Wallet):
    claim = begin(bob, ELSEWHERE)
    bob.client.get(url("recovery-claim", claim.pk))
    prove(claim, bob.passkey)
    fields = {"module": checksum_address(claims.MODULE), "threshold": "2"}

    answer = bob.client.post(url("recovery-claim-ask", claim.pk), fields)

    assert answer.status_code == 422
    assert "Between 1 and 1 of 1 owners must approve." in Page(answer).words
    assert not AccountClaim.objects.exists()


def test_claims_of_strangers_keep_nobody_out(bob: Wallet):
    claim = begin(bob, ELSEWHERE)
    bob.client.get(url("recovery-claim", claim.pk))
    prove(claim, bob.passkey)
    safe = Safe.objects.get(address=claim.lookup.address)
    for _stranger in range(25):
        claims.account_claim(safe)
    fields = {"module": checksum_address(claims.MODULE), "threshold": "1"}

    bob.client.post(url("recovery-claim-ask", claim.pk), fields)

    assert claim.accounts.count() == 1


def test_without_a_proof_nothing_is_asked(bob: Wallet):
    claim = begin(bob, ELSEWHERE)
    fields = {"module": checksum_address(claims.MODULE), "threshold": "1"}

    bob.client.post(url("recovery-claim-ask", claim.pk), fields)

    assert not AccountClaim.objects.exists()


def test_each_reason_to_stop_has_words_and_a_way_on(
    bob: Wallet, subtests: pytest.Subtests
):
    safe = make_wallet().safe
    claim = claims.begun(user=bob.user, safe=safe)
    row = claims.account_claim(safe, claim=claim, status="stopped")
    for code, stop in STOPS.items():
        with subtests.test(code):
            AccountClaim.objects.filter(pk=row.pk).update(failure_code=code)
            page = Page(bob.client.get(url("recovery-claim", claim.pk)))
            assert stop.title in page.words
            assert "Look the account up again" in page.words


# --- The guardian -----------------------------------------------------------------------


def test_a_link_shows_the_claim_to_whoever_opens_it_and_to_nobody_else(
    alice: Wallet, bob: Wallet
):
    Safe.objects.filter(pk=alice.safe.pk).update(name="Alice and nobody else")
    row = claims.approved_by(make_user(), safe=alice.safe).account_claim
    token = recovery_claims.renew_link(claim=row.claim)
    assert bob.client.get(url("guardian-claim", row.pk)).status_code == 404

    opened = bob.client.post(reverse("onchain:guardian-open"), {"token": token})

    assert opened["Location"] == reverse("onchain:guardian-inbox")
    inbox = Page(bob.client.get(opened["Location"]))
    assert "See who asks" in inbox.words
    page = Page(bob.client.get(url("guardian-claim", row.pk)))
    assert "Call them before you approve" in page.words
    assert "Alice and nobody else" not in page.html
    assert alice.client.get(url("guardian-claim", row.pk)).status_code == 404
    recovery_claims.renew_link(claim=row.claim)
    again = bob.client.post(reverse("onchain:guardian-open"), {"token": token})
    assert again.status_code == 410


def test_a_stranger_among_the_new_owners_is_marked(alice: Wallet, bob: Wallet):
    row = claims.approved_by(bob.user, safe=alice.safe).account_claim
    row.approvals.update(status="refused")
    stranger = checksum_address(b"\x77" * 20)
    AccountClaim.objects.filter(pk=row.pk).update(
        new_owners=[*row.new_owners, stranger]
    )

    page = Page(bob.client.get(url("guardian-claim", row.pk)))

    assert page.words.count("A stranger: neither an owner now") == 1
    assert page.json["recovery-message"]["newOwners"][1] == stranger


def test_an_answer_that_is_no_signature_is_refused_in_words(alice: Wallet, bob: Wallet):
    row = claims.approved_by(bob.user, safe=alice.safe).account_claim
    row.approvals.update(status="refused")
    answer = json.dumps({"account": row.guardians[0], "signature": "0x"})
    page = Page(bob.client.get(url("guardian-claim", row.pk)))
    (form,) = page.with_attribute("data-wallet-box")
    assert form["action"] == url("guardian-approve-wallet", row.pk)
    assert form["data-shown"] == f"recovery-{row.pk}"
    assert form["hx-target"] == f"#guarding-{row.pk}"

    refused = bob.client.post(
        url("guardian-approve-wallet", row.pk), {"credential": answer}
    )

    assert refused.status_code == 422
    assert "That is no signature of a wallet." in Page(refused).words
