"""After a recovery: what the new owner looks through once."""

from __future__ import annotations

import pytest
from django.urls import reverse

from onchain.models import AccountClaim, ForeignConfiguration, Role, UserOperation
from onchain.protocol.types import checksum_address
from tests import claims
from tests.pages import Page
from tests.wallets import Wallet, join

pytestmark = pytest.mark.django_db

FOREIGN = checksum_address(b"\xf1" * 20)
LOST = checksum_address(b"\x0a" * 20)
GUARD = checksum_address(b"\x0b" * 20)
HANDLER = checksum_address(b"\x0c" * 20)


def recover(alice: Wallet, **fields: object) -> AccountClaim:
    """Let guardians have given the person this account."""
    (owner,) = alice.safe.owners.current()
    return claims.account_claim(
        alice.safe,
        user=alice.user,
        status="done",
        old_owners=[LOST],
        new_owners=[owner.address_text],
        new_signer=owner.address,
        **fields,
    )


def leave_behind(alice: Wallet) -> None:
    ForeignConfiguration.objects.create(
        safe=alice.safe,
        findings=[["module", FOREIGN], ["guard", GUARD]],
        modules=[FOREIGN],
        seen_hash=bytes(32),
        block_number=1,
    )


def page_of(alice: Wallet) -> Page:
    return Page(alice.client.get(alice.url("recovered")))


def test_the_steps_name_who_is_gone_and_what_stayed_before_done(alice: Wallet):
    recover(alice)
    leave_behind(alice)

    page = page_of(alice)

    order = [
        *("1. Who owns it now", "You", "Gone", "2. What else can act for it"),
        *("A module that is not this site’s", "Remove", "A guard", "Remove"),
        *("3. Who guards it", "Nobody guards this account any more", "Done"),
    ]
    places = []
    for words in order:
        places.append(page.words.index(words, places[-1] if places else 0))
    assert places == sorted(places)
    assert "Not named in the recovery" not in page.words

    removal = {
        "kind": "disable-module",
        "removed": FOREIGN,
        "idempotency_key": page.inputs()["idempotency_key"],
    }
    assert alice.post("configuration-remove", removal).status_code == 302
    assert UserOperation.objects.get().kind == "disable-module"
    assert "A change is under way" in page_of(alice).words


def test_an_owner_added_since_is_marked(alice: Wallet):
    row = recover(alice)
    AccountClaim.objects.filter(pk=row.pk).update(new_owners=[GUARD])

    assert page_of(alice).words.count("Not named in the recovery") == 1


def test_it_is_asked_for_until_it_is_done(alice: Wallet, bob: Wallet):
    home = alice.url("safe-detail")
    assert "brought this account back" not in Page(alice.client.get(home)).words
    row = recover(alice)
    assert "brought this account back" in Page(alice.client.get(home)).words

    assert alice.post("recovered-done", {}).status_code == 302

    row.refresh_from_db()
    assert row.looked_through_at is not None
    assert "brought this account back" not in Page(alice.client.get(home)).words
    page = page_of(alice)
    assert "You looked through this on" in page.words
    assert "Done" not in page.words.split()


def test_it_is_for_the_claimant_alone(alice: Wallet, bob: Wallet):
    recover(alice)
    viewer = join(alice, Role.VIEWER)

    assert bob.client.get(alice.url("recovered")).status_code == 404
    assert viewer.client.get(alice.url("recovered")).status_code == 403
    # Who has an account some other way is led to its owners.
    led = bob.client.get(bob.url("recovered"))
    assert led["Location"] == bob.url("owners")
    assert bob.post("recovered-done", {}).status_code == 302


def test_the_claim_leads_there_once_the_account_is_among_ones_own(
    alice: Wallet, bob: Wallet
):
    """The chain has the new owners before the follower has read them."""
    claim = claims.begun(user=alice.user, safe=bob.safe)
    claims.account_claim(bob.safe, claim=claim, status="done")
    url = reverse("onchain:recovery-claim", args=[claim.pk])
    page = Page(alice.client.get(url))
    assert "It stands among your accounts in a moment." in page.words
    assert "See what stayed" not in page.words
    assert 'hx-trigger="every 1s"' in page.html

    own = claims.begun(user=alice.user, safe=alice.safe)
    claims.account_claim(alice.safe, claim=own, status="done")
    page = Page(alice.client.get(reverse("onchain:recovery-claim", args=[own.pk])))
    assert "See what stayed" in page.words
    assert 'hx-trigger="every 1s"' not in page.html
