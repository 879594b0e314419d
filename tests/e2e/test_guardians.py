"""Two guardians of one account: a person with a passkey, and a wallet (R6, R58, R62)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from onchain.protocol.deployments import RECOVERY_MODULES, TEST_RECOVERY_DELAY
from onchain.protocol.types import checksum_address
from tests.e2e.conftest import Welcome
from tests.e2e.injected_wallet import InjectedWallet
from tests.e2e.ledger import Ledger
from tests.e2e.survey import Survey
from tests.e2e.test_shared_accounts import link_on, open_link, words
from tests.e2e.visitor import PATIENCE, Visitor

MODULE = checksum_address(RECOVERY_MODULES[TEST_RECOVERY_DELAY])


@pytest.fixture
def people(welcome: Welcome) -> Iterator[tuple[Visitor, Visitor]]:
    """Alice with a live wallet, and Bob, who is here for the first time."""
    alice, bob = welcome(), welcome()
    alice.open_wallet()
    yield alice, bob
    for visitor in (alice, bob):
        for kind in ("violation", "elsewhere", "console"):
            assert visitor.noticed[kind] == []


def invite_guardian(alice: Visitor, bob: Visitor, survey: Survey) -> None:
    """Ask Bob to guard, let him prove a passkey, compare the words."""
    alice.visit("recovery/set-up/")
    survey.look_at("recovery-set-up-empty", alice.page)
    alice.page.get_by_role("link", name="Invite a guardian").click()
    expect(alice.page.get_by_label("Guardian")).to_be_checked()
    alice.page.get_by_label("Name").fill("Bob")
    alice.press("Make the link")
    link = link_on(alice)
    alice.page.get_by_role("link", name="See whether they accepted").click()
    open_link(bob, link)
    bob.sees("You can never move the money")
    survey.look_at("invitation-guardian", bob.page)
    bob.press("Accept")
    assert words(alice) == words(bob)
    alice.press("The words are the same")
    bob.sees("You are confirmed")
    alice.sees("They become a guardian once the owners have signed that.")


def add_wallet(alice: Visitor, survey: Survey) -> InjectedWallet:
    """Let a wallet in the browser show that it signs as a guardian."""
    wallet = InjectedWallet()
    wallet.inject(alice.context)
    alice.visit("recovery/wallet/")
    survey.look_at("guardian-wallet", alice.page)
    alice.press("Take the address from this wallet")
    field = alice.page.get_by_label("Address", exact=True)
    expect(field).to_have_value(wallet.wallet.address_text.lower())
    alice.press("Go on with this address")
    alice.sees("Show that it can sign")
    alice.press("Sign with this wallet")
    alice.sees("The wallet has shown that it signs.")
    (text,) = wallet.texts
    assert "Role: guardian" in text
    return wallet


@pytest.mark.thorough
def test_a_person_and_a_wallet_become_guardians_by_one_operation(
    people: tuple[Visitor, Visitor], ledger: Ledger
) -> None:
    alice, bob = people
    survey = Survey()
    invite_guardian(alice, bob, survey)
    wallet = add_wallet(alice, survey)

    survey.look_at("recovery-set-up", alice.page)
    alice.page.get_by_label("How many guardians must approve").select_option("2")
    alice.page.get_by_label("Time to cancel").select_option("3 minutes")
    alice.page.get_by_label("Nobody can warn me.").check()
    alice.press("Review setting up recovery")
    expect(alice.authorize_button).to_be_visible(timeout=PATIENCE)
    assert alice.signed_text("guardian-threshold").startswith("2 of 2 guardians")
    survey.look_at("recovery-review", alice.page)
    alice.authorize_button.click()
    alice.wait_until_confirmed()

    alice.visit("recovery/")
    alice.sees("2 of 2 guardians must approve a recovery.")
    alice.sees("Bob")
    alice.sees("The owners then have 3 minutes to cancel it.")
    survey.look_at("recovery-on", alice.page)
    found = ledger.guardians(alice.account, MODULE)
    assert len(found) == 2
    assert wallet.wallet.address_text in found
    for place in ("add/", "remove/", "threshold/"):
        alice.visit(f"recovery/{place}")
        survey.look_at(f"guardian-{place}", alice.page)
    # Who guards an account sees nothing of it.
    seen = bob.page.request.get(f"{bob.origin}/safes/31337/{alice.account}/")
    assert seen.status == 404
    assert (survey.barriers, survey.sideways) == ([], [])
