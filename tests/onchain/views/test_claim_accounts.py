"""One claim for several accounts, with a passkey or a wallet as its new key."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from onchain.models import (
    AccountClaim,
    Chain,
    GuardianApproval,
    KeyProof,
    RecoveryClaim,
    RecoveryLookup,
    Safe,
    WalletProof,
)
from onchain.models.owner import public_key_of
from onchain.protocol.recovery import recovery_hash
from onchain.protocol.types import checksum_address, to_address
from onchain.services import guardian_approvals, key_proofs, signers
from tests import claims
from tests.factories import assertion_text, make_credential, make_user, the_chain
from tests.pages import Page
from tests.soft_authenticator import SoftAuthenticator
from tests.wallet_keys import SoftWallet
from tests.wallets import Wallet, make_wallet

pytestmark = pytest.mark.django_db

FIRST, SECOND = (checksum_address(bytes([n]) * 20) for n in (0x5A, 0x5B))
GUARDIANS = [checksum_address(bytes([n]) * 20) for n in (1, 2, 3)]
OWNERS = {"module": checksum_address(claims.MODULE), "threshold": "1"}


@pytest.fixture(autouse=True)
def chain(db: None) -> Chain:
    return the_chain()


def found(address: str, *, guardians: list[str], **fields: object) -> RecoveryLookup:
    """Let the worker have read an address."""
    setup = {
        "module": checksum_address(claims.MODULE),
        "delay": 180,
        "threshold": 2,
        "guardians": guardians,
        "has_begun": False,
    }
    values = {
        "status": "found",
        "owners": [checksum_address(b"\x09" * 20)],
        "threshold": 1,
        "setups": [setup],
        "asked_at": timezone.now(),
    }
    row, _made = RecoveryLookup.objects.update_or_create(
        chain=Chain.objects.get(), address=to_address(address), defaults=values | fields
    )
    return row


def page_of(bob: Wallet, claim: RecoveryClaim, address: str) -> Page:
    url = reverse("onchain:recovery-claim", args=[claim.pk])
    return Page(bob.client.get(url, {"account": address}))


def post(bob: Wallet, name: str, claim: RecoveryClaim, at: str, **data: object) -> int:
    url = f"{reverse(f'onchain:{name}', args=[claim.pk])}?account={at}"
    return bob.client.post(url, data).status_code


def begun(bob: Wallet, **fields: object) -> RecoveryClaim:
    """Begin a claim to the first account on its page."""
    found(FIRST, guardians=GUARDIANS)
    url = reverse("onchain:recover-begin")
    bob.client.post(url, {"account": FIRST, **fields})
    return RecoveryClaim.objects.get()


def prove(bob: Wallet, claim: RecoveryClaim, address: str) -> None:
    """Touch the new passkey for an account; the chain says that it signs."""
    page = page_of(bob, claim, address)
    assert "Show that your new passkey signs" in page.words
    safe = Safe.objects.get(address=to_address(address))
    proof = key_proofs.open_proof(credential=claim.credential, safe=safe)
    answer = assertion_text(bob.passkey, bytes(proof.challenge))
    assert post(bob, "recovery-claim-prove", claim, address, credential=answer) == 302
    assert "Checking your passkey" in page_of(bob, claim, address).words
    KeyProof.objects.filter(pk=proof.pk).update(status="proven")


def asked(bob: Wallet, claim: RecoveryClaim, address: str) -> AccountClaim:
    """Prove and ask for an account of the claim; the chain says that it could be."""
    prove(bob, claim, address)
    assert post(bob, "recovery-claim-ask", claim, address, **OWNERS) == 302
    row = AccountClaim.objects.get(safe__address=to_address(address))
    collecting(row, GUARDIANS)
    return row


def collecting(row: AccountClaim, guardians: list[str]) -> None:
    row.status, row.nonce = AccountClaim.Status.COLLECTING, 0
    row.recovery_hash = recovery_hash(row.recovery, chain_id=31337, nonce=0)
    row.guardians, row.needed = guardians, 2
    row.save()


def test_another_account_of_the_same_guardians_goes_its_own_way(bob: Wallet):
    claim = begun(bob)
    first = asked(bob, claim, FIRST)
    assert "Add another account" in page_of(bob, claim, FIRST).words
    assert "Accounts of this claim" not in page_of(bob, claim, FIRST).html

    assert post(bob, "recovery-claim-add", claim, FIRST, account=SECOND) == 302
    assert "Reading the chain" in page_of(bob, claim, SECOND).words
    found(SECOND, guardians=GUARDIANS[::-1])
    second = asked(bob, claim, SECOND)

    assert {first.claim_id, second.claim_id} == {claim.pk}
    page = page_of(bob, claim, SECOND)
    assert page.json["recovery-message"]["wallet"] == SECOND
    assert "Accounts of this claim" in page.html
    assert page.words.count("Waiting for guardians") == 2
    AccountClaim.objects.filter(pk=first.pk).update(status="done")
    assert "Recovered" in page_of(bob, claim, SECOND).words


def test_what_the_claim_cannot_cover_is_refused_in_words(
    bob: Wallet, subtests: pytest.Subtests
):
    claim = begun(bob)
    asked(bob, claim, FIRST)
    cases = {
        "other guardians": ({"guardians": GUARDIANS[:2]}, "has other guardians"),
        "none there": (
            {"guardians": GUARDIANS, "status": "refused"},
            "The chain has no account here",
        ),
        "no guardians": ({"guardians": [], "setups": []}, "has other guardians"),
    }
    for name, (fields, words) in cases.items():
        with subtests.test(name):
            found(SECOND, **fields)
            page = page_of(bob, claim, SECOND)
            assert "This account cannot be asked for here" in page.words
            assert words in page.words
            assert post(bob, "recovery-claim-ask", claim, SECOND, **OWNERS) == 302
            assert not Safe.objects.filter(address=to_address(SECOND)).exists()
    url = reverse("onchain:recovery-claim", args=[claim.pk])
    for text in ("0x12", checksum_address(b"\x5c" * 20)):
        assert bob.client.get(url, {"account": text}).status_code == 404
    assert post(bob, "recovery-claim-add", claim, FIRST, account="0x12") == 422


def test_a_guardian_sees_every_account_of_a_claim_and_signs_each(
    alice: Wallet, bob: Wallet
):
    rows = [asked(bob, claim, FIRST) for claim in [begun(bob)]]
    post(bob, "recovery-claim-add", rows[0].claim, FIRST, account=SECOND)
    found(SECOND, guardians=GUARDIANS)
    rows.append(asked(bob, rows[0].claim, SECOND))
    guardian = make_wallet()
    for row in rows:
        key = public_key_of(guardian.user.credentials.get())
        signer = signers.signer_for(public_key=key, safe=row.safe)
        collecting(row, [checksum_address(signer), *GUARDIANS])
    session = guardian.client.session
    session["recovery_claims"] = [rows[0].claim_id]
    session.save()

    def page(row: AccountClaim) -> Page:
        url = reverse("onchain:guardian-claim", args=[row.pk])
        return Page(guardian.client.get(url))

    for place, row in enumerate(rows):
        assert f"You approved {place} of 2 accounts" in page(row).words
        answer = assertion_text(guardian.passkey, bytes(row.hash_to_sign))
        url = reverse("onchain:guardian-approve", args=[row.pk])
        assert guardian.client.post(url, {"credential": answer}).status_code == 302
        assert f"You approved {place + 1} of 2 accounts" in page(row).words
        assert page(row).words.count("Approved by you") == place + 1


def test_a_wallet_proves_itself_and_is_the_new_owner(bob: Wallet):
    wallet = SoftWallet()
    text = wallet.address_text
    found(FIRST, guardians=GUARDIANS)
    url = reverse("onchain:recover-wallet")
    form = bob.client.get(url, {"account": FIRST})
    assert Page(form).inputs()["account"] == FIRST
    step = Page(bob.client.get(url, {"account": FIRST, "wallet": text}))
    assert step.inputs()["wallet"] == text
    wrong = bob.client.get(url, {"account": FIRST, "wallet": "0x12"})
    assert wrong.status_code == 422

    claim = begun(bob, wallet=text)
    assert (claim.wallet, claim.credential) == (wallet.address, None)
    page = page_of(bob, claim, FIRST)
    proof = WalletProof.objects.get()
    assert page.json["wallet-text"] == proof.text
    for signer, status in ((SoftWallet(), 422), (wallet, 302)):
        answer = {
            "account": signer.address_text,
            "signature": "0x" + signer.sign_text(proof.text).hex(),
        }
        data = {"proof": proof.pk, "wallet": text, "credential": json.dumps(answer)}
        name = "recovery-claim-prove-wallet"
        assert post(bob, name, claim, FIRST, **data) == status

    assert "Your new wallet" in page_of(bob, claim, FIRST).words
    assert post(bob, "recovery-claim-ask", claim, FIRST, **OWNERS) == 302
    row = AccountClaim.objects.get()
    assert row.new_owners == [text]
    collecting(row, GUARDIANS)
    assert "your new wallet" in page_of(bob, claim, FIRST).words
    begun(bob, wallet=text)  # the same claim: ``get`` finds one


def test_who_guards_with_two_passkeys_signs_twice(alice: Wallet, bob: Wallet):
    second = SoftAuthenticator()
    make_credential(second, user=bob.user)
    row = claims.approved_by(make_user(), safe=alice.safe).account_claim
    row.approvals.update(status="refused")
    own = bob.user.credentials.order_by("pk")
    keys = [
        signers.signer_for(public_key=public_key_of(key), safe=row.safe) for key in own
    ]
    collecting(row, [*map(checksum_address, keys), GUARDIANS[0]])
    session = bob.client.session
    session["recovery_claims"] = [row.claim_id]
    session.save()
    url = reverse("onchain:guardian-claim", args=[row.pk])
    offered = []
    for passkey in (bob.passkey, second):
        page = Page(bob.client.get(url))
        keys_of = page.json["signing-request"]["allowCredentials"]
        offered.append(len(keys_of))
        answer = assertion_text(passkey, bytes(row.hash_to_sign))
        button = reverse("onchain:guardian-approve", args=[row.pk])
        assert bob.client.post(button, {"credential": answer}).status_code == 302
        assert "Checking your approval" in Page(bob.client.get(url)).words
        GuardianApproval.objects.filter(user=bob.user).update(status="valid")

    assert offered == [2, 1]
    assert guardian_approvals.keys_left(row=row, user=bob.user) == {}
    assert {bytes(item.guardian) for item in row.approvals.filter(user=bob.user)} == {
        bytes(key) for key in keys
    }
    page = Page(bob.client.get(url))
    assert "You approved" in page.words
    # A wallet of theirs may guard it as well, while more must approve.
    assert "You hold a wallet that is a guardian too" in page.words
    AccountClaim.objects.filter(pk=row.pk).update(status="ready")
    assert "signing-request" not in Page(bob.client.get(url)).json
