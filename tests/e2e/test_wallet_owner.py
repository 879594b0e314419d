"""A wallet beside the passkey: it proves itself, becomes an owner, and approves."""

from __future__ import annotations

import json
import time

import pytest
from playwright.sync_api import expect

from onchain.protocol.abi import call_data
from tests.e2e.injected_wallet import InjectedWallet
from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.visitor import PATIENCE, Visitor
from tests.wallet_keys import SoftWallet

FAILURES = {
    4001: "You declined in your wallet.",
    4100: "Your wallet is locked or offers no account.",
    4200: "Your wallet cannot sign in this way.",
    4900: "Your wallet is disconnected.",
    -32002: "Your wallet still has a question open.",
    -32603: "Your wallet answered with an error.",
}
SHOW_LINES = """(element, text) => {
  const lines = text.split("\\n").map((line) => {
    const span = document.createElement("span");
    span.textContent = line;
    return span;
  });
  element.replaceChildren(...lines);
}"""


def is_told(visitor: Visitor, words: str) -> None:
    """Wait until a form says why it went no further."""
    error = visitor.page.locator("[data-passkey-error]").filter(has_text=words)
    expect(error).to_be_visible(timeout=PATIENCE)


def prove(visitor: Visitor, wallet: InjectedWallet) -> None:
    """Take the wallet's address and let it sign the text, after what goes wrong."""
    visitor.visit("owners/wallet/")
    wallet.is_locked = True
    visitor.press("Take the address from this wallet")
    is_told(visitor, "Your wallet is locked or offers no account.")
    wallet.is_locked = False
    visitor.press("Take the address from this wallet")
    field = visitor.page.get_by_label("Address", exact=True)
    expect(field).to_have_value(wallet.wallet.address_text.lower())
    visitor.press("Go on with this address")
    visitor.sees("Show that it can sign")

    refuses_another_text(visitor)
    right, other = wallet.wallet, SoftWallet()
    wallet.wallet = other
    visitor.press("Sign with this wallet")
    is_told(visitor, other.address_text.lower())
    wallet.wallet = right
    wallet.declines = {"personal_sign"}
    visitor.press("Sign with this wallet")
    is_told(visitor, "You declined in your wallet. Nothing was signed.")
    wallet.declines = set()
    visitor.press("Sign with this wallet")
    visitor.sees("It has shown that it signs")
    (text,) = wallet.texts
    assert visitor.account in text
    assert right.address_text in text


def refuses_another_text(visitor: Visitor) -> None:
    """Change what is shown, then both what is shown and what would be signed."""
    page = visitor.page
    shown, data = page.locator("[data-wallet-text]"), page.locator("#wallet-text")
    whole = json.loads(data.inner_text())
    for tampered in (
        whole.replace("Role: owner", "Role: guardian"),
        whole.replace(visitor.origin, "https://example.org"),
        f"{whole}\nAnd everything I have.",
        "\x19Ethereum Signed Message:\n32",
    ):
        for is_both in (False, True):
            if is_both and "guardian" in tampered:
                continue  # of our form, and what is shown: the server refuses it
            shown.evaluate(SHOW_LINES, tampered)
            if is_both:
                put = (
                    "(element, text) => { element.textContent = JSON.stringify(text) }"
                )
                data.evaluate(put, tampered)
            visitor.press("Sign with this wallet")
            is_told(visitor, "This page shows another text than would be signed.")
            page.reload()


def wait_until_threshold(visitor: Visitor) -> None:
    """Look again until the site has read that two must sign."""
    deadline = time.monotonic() + PATIENCE / 1000
    visitor.visit("settings/")
    while not visitor.page.get_by_text("2 of 2 owners must sign").is_visible():
        assert time.monotonic() < deadline, "the site never read the threshold"
        visitor.page.wait_for_timeout(200)
        visitor.page.reload()


def approve(visitor: Visitor, wallet: InjectedWallet) -> None:
    """Sign the open review with the wallet, after what goes wrong."""
    wallet.chain_id, wallet.knows_chains = 1, False
    visitor.press("Approve with your wallet")
    is_told(visitor, "is on another chain than this account")
    assert "eth_signTypedData_v4" not in wallet.asked
    wallet.knows_chains = True
    wallet.declines = {"eth_signTypedData_v4"}
    visitor.press("Approve with your wallet")
    is_told(visitor, "You declined in your wallet.")
    assert wallet.chain_id == 31337
    wallet.declines = set()
    visitor.press("Approve with your wallet")


@pytest.mark.thorough
def test_a_wallet_proves_itself_and_approves_beside_the_passkey(
    visitor: Visitor, ledger: Ledger
) -> None:
    wallet = InjectedWallet()
    wallet.inject(visitor.context)
    visitor.open_wallet()
    prove(visitor, wallet)

    visitor.press("Review adding this wallet")
    visitor.authorize_button.click()
    visitor.wait_until_confirmed()
    visitor.visit(f"owners/wallet/?wallet={wallet.address_text}")
    visitor.sees("It is an owner of")  # which the page finds by itself
    assert wallet.wallet.address_text in ledger.owners(visitor.account)

    # What an operation of its own does, without waiting for it here.
    ledger.act_on_itself(visitor.account, call_data("changeThreshold(uint256)", 2))
    assert ledger.threshold(visitor.account) == 2
    wait_until_threshold(visitor)
    recipient = new_recipient()
    visitor.review(recipient, "0.25")
    visitor.authorize_button.click()
    visitor.sees("1 of 2 approved")  # the wallet's button was there before that
    approve(visitor, wallet)
    visitor.wait_until_confirmed()

    assert ledger.balance_wei(recipient) == ETH // 4
    for kind in ("violation", "elsewhere", "console"):
        assert visitor.noticed[kind] == []


def test_an_old_wallet_is_found_and_what_it_answers_is_put_into_words(
    visitor: Visitor,
) -> None:
    wallet = InjectedWallet()
    wallet.inject(visitor.context, is_old=True)
    visitor.create_wallet()
    visitor.visit("owners/wallet/")
    choice = visitor.page.get_by_label("Wallet in this browser")
    expect(choice.get_by_role("option")).to_have_text(["Browser wallet"])

    for code, words in FAILURES.items():
        wallet.failure = code
        visitor.press("Take the address from this wallet")
        is_told(visitor, words)
    wallet.failure = None
    visitor.press("Take the address from this wallet")

    field = visitor.page.get_by_label("Address", exact=True)
    expect(field).to_have_value(wallet.wallet.address_text.lower())
    assert set(wallet.asked) == {"eth_requestAccounts"}
