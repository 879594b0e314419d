"""Another Safe as an owner: taken on one's word, then it proves itself and approves."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import expect

from onchain.protocol.safe import deploy_calls, direct_setup
from onchain.protocol.types import checksum_address
from tests.e2e.injected_wallet import InjectedSafe
from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.visitor import PATIENCE, Visitor
from tests.wallet_keys import SoftWallet


def new_safe(ledger: Ledger) -> InjectedSafe:
    """Put a Safe that one key owns on chain, past the site."""
    key = SoftWallet()
    setup = direct_setup(owners=[key.address], threshold=1)
    salt = secrets.randbits(64)
    (call,) = deploy_calls(public_keys=[], setup=setup, salt_nonce=salt)
    made = ledger.make(checksum_address(call.to), f"0x{call.data.hex()}")
    return InjectedSafe(wallet=key, safe=made)


def add_on_ones_word(visitor: Visitor, wallet: InjectedSafe) -> None:
    """Ask for the contract as an owner, and for its approval from then on."""
    visitor.visit("receive/")
    visitor.press("Prove this passkey")
    visitor.sees("Copy address")
    visitor.visit(f"owners/wallet/?wallet={wallet.address_text}")
    visitor.press("Review adding it unproven")
    visitor.sees("Tick this first")
    visitor.page.get_by_label("I know what I do").check()
    threshold = visitor.page.get_by_label("How many must approve afterwards")
    threshold.select_option("2")
    visitor.press("Review adding it unproven")
    expect(visitor.authorize_button).to_be_visible(timeout=PATIENCE)
    visitor.sees("1 of 1 must approve")
    assert visitor.signed_text("threshold") == "2 of 2 must approve"
    visitor.sees("Nobody has shown that this contract can approve.")
    visitor.authorize_button.click()
    visitor.wait_until_included()


def approve(visitor: Visitor, wallet: InjectedSafe) -> None:
    """Sign the open review with the contract; the page tells by itself how it went."""
    right, wallet.wallet = wallet.wallet, SoftWallet()
    visitor.press("Approve with your wallet")
    visitor.sees("The contract did not accept the last signature")
    wallet.wallet = right
    visitor.press("Approve with your wallet")
    visitor.sees("1 of 2 approved")


@pytest.mark.thorough
def test_a_contract_is_added_on_ones_word_then_proves_itself_and_approves(
    visitor: Visitor, ledger: Ledger
) -> None:
    wallet = new_safe(ledger)
    wallet.inject(visitor.context)
    visitor.open_wallet()

    add_on_ones_word(visitor, wallet)
    assert wallet.address_text in ledger.owners(visitor.account)
    assert ledger.threshold(visitor.account) == 2
    assert wallet.texts == []

    visitor.visit("owners/")
    visitor.reloads_until("Show that it signs")  # once its code was read
    visitor.page.get_by_role("link", name="Show that it signs").click()
    visitor.sees("Show that it can sign")
    visitor.press("Sign with this wallet")
    visitor.sees("It is an owner of")

    recipient = new_recipient()
    visitor.review(recipient, "0.25")
    approve(visitor, wallet)
    visitor.authorize_button.click()
    visitor.wait_until_included()

    assert ledger.balance_wei(recipient) == ETH // 4
    for kind in ("violation", "elsewhere", "console"):
        assert visitor.noticed[kind] == []
