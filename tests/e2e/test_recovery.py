"""Somebody who lost every passkey gets the account back with two guardians.

On a site of its own: the chain's time is moved on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from onchain.protocol import recovery
from onchain.protocol.deployments import RECOVERY_MODULES, TEST_RECOVERY_DELAY
from onchain.protocol.safe import signer_address
from onchain.protocol.spoken_words import words_of_recovery
from onchain.protocol.types import Address, checksum_address, to_address
from tests.conftest import Stack, start_stack, wait_for_words
from tests.e2e.injected_wallet import InjectedWallet
from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.survey import Survey
from tests.e2e.visitor import PATIENCE, Visitor
from tests.factories import signer_proxy_code

MODULE = RECOVERY_MODULES[TEST_RECOVERY_DELAY]


@pytest.fixture
def alone(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[tuple[Stack, Ledger]]:
    """A site whose chain's time only this test moves."""
    stack = start_stack(tmp_path_factory.mktemp("recovery"), database=migrated)
    try:
        wait_for_words(stack, "Latchkey answers at")
        yield stack, Ledger(stack.node_url)
    finally:
        stack.stop()


def protect(ledger: Ledger, account: str, guardians: list[Address]) -> None:
    """Give the account these guardians, of whom two must approve."""
    safe = to_address(account)
    owners = [to_address(owner) for owner in ledger.owners(account)]
    ledger.act_as(account, recovery.enable_module_call(account=safe, module=MODULE))
    for place, guardian in enumerate(guardians):
        call = recovery.add_guardian_call(
            module=MODULE,
            account=safe,
            guardian=guardian,
            threshold=min(place + 1, 2),
            owners=owners,
            guardians=guardians[:place],
        )
        ledger.act_as(account, call)


def signer_of(visitor: Visitor) -> Address:
    """Return the address of the one passkey of a device."""
    key = visitor.passkeys.public_key()
    return signer_address(public_key=key, proxy_code=signer_proxy_code())


def words_on(visitor: Visitor) -> list[str]:
    """Return the six words on the open page, once it has made them."""
    shown = visitor.page.locator("[data-word]")
    expect(shown).to_have_count(6, timeout=PATIENCE)
    expect(shown.last).not_to_have_text("…", timeout=PATIENCE)
    return [text.strip() for text in shown.all_inner_texts()]


def get_in(visitor: Visitor, link: str) -> None:
    """Follow a guardian's link to the page of what is asked."""
    visitor.go(link)
    visitor.page.get_by_role("button", name="See what is asked").click()
    visitor.page.get_by_role("link", name="See who asks").click()
    visitor.sees("Call them before you approve")


def test_two_guardians_bring_an_account_back_to_a_fresh_browser(
    alone: tuple[Stack, Ledger], browser: Browser
) -> None:
    stack, ledger = alone
    owner, friend, holder, claimant = (
        Visitor(browser.new_context(), stack.origin) for _ in range(4)
    )
    survey, wallet = Survey(), InjectedWallet()
    owner.open_wallet()
    friend.create_wallet()
    wallet.inject(holder.context)
    holder.create_wallet()
    guardians = [signer_of(friend), wallet.wallet.address, to_address(new_recipient())]
    protect(ledger, owner.account, guardians)

    # The account is lost: a browser that has never been here.
    claimant.go("/recover/")
    survey.look_at("recover", claimant.page)
    claimant.page.get_by_label("The account’s address").fill(owner.account)
    claimant.press("See who could bring it back")
    claimant.sees("2 of 3 guardians, after a delay of 3 minutes")
    survey.look_at("recover-found", claimant.page)
    claimant.press("Create a new passkey")
    claimant.press("Ask the guardians")
    claimant.press("Touch the passkey")
    claimant.sees("Who shall own the account")
    survey.look_at("recovery-owners", claimant.page)
    claimant.press("Go on")
    claimant.sees("2 of 3 guardians must approve.")
    said = words_on(claimant)
    survey.look_at("recovery-words", claimant.page)
    claimant.press("Make a link for the guardians")
    link = claimant.page.locator("[data-guardian-link]").inner_text().strip()
    survey.look_at("recovery-link", claimant.page)
    claimant.page.get_by_role("link", name="Back to the words").click()

    get_in(friend, link)
    assert words_on(friend) == said
    digest = friend.page.evaluate(
        "JSON.parse(document.getElementById('signing-request').textContent).hash"
    )
    assert said == list(words_of_recovery(bytes.fromhex(digest[2:])))
    survey.look_at("guardian-claim", friend.page)
    friend.press("The words are the same: approve")
    friend.sees("You approved")
    get_in(holder, link)
    assert words_on(holder) == said
    survey.look_at("guardian-claim-wallet", holder.page)
    holder.press("The words are the same: approve with your wallet")
    holder.sees("You approved")

    claimant.sees("A recovery has begun")
    survey.look_at("recovery-waiting", claimant.page)
    ledger.call("evm_increaseTime", TEST_RECOVERY_DELAY + 2)
    ledger.call("evm_mine")
    claimant.press("Finish")
    claimant.sees("The account is yours again")
    survey.look_at("recovery-done", claimant.page)
    new = checksum_address(signer_of(claimant))
    assert ledger.owners(owner.account) == [new]

    claimant.account = owner.account
    claimant.visit()
    recipient = new_recipient()
    claimant.pay(recipient, "0.25")
    assert ledger.balance_wei(recipient) == ETH // 4
    assert (survey.barriers, survey.sideways) == ([], [])
    for visitor in (friend, holder, claimant):
        for kind in ("violation", "elsewhere", "console"):
            assert visitor.noticed[kind] == []
        visitor.context.close()
