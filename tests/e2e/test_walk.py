"""The whole way of one person: a wallet, money in, money out, back on a new device."""

from __future__ import annotations

import re

import segno
from playwright.sync_api import expect

from onchain.protocol.safe import account_address, direct_setup, signer_address
from onchain.protocol.types import checksum_address
from onchain.services.contracts import signer_proxy_code
from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.visitor import PATIENCE, STEPS, Visitor
from wallet_site import chain_state


def predicted_addresses(visitor: Visitor) -> tuple[str, str]:
    """Return the signer and the account that follow from the passkey alone."""
    node = chain_state.connect(url="http://127.0.0.1:1").node
    code = signer_proxy_code(packages=chain_state.PACKAGES, node=node)
    signer = signer_address(public_key=visitor.passkeys.public_key(), proxy_code=code)
    setup = direct_setup(owners=[signer], threshold=1)
    account = account_address(setup=setup, salt_nonce=0)
    return checksum_address(signer), checksum_address(account)


def test_one_touch_makes_a_wallet_that_the_chain_knows(
    visitor: Visitor, ledger: Ledger
) -> None:
    visitor.go()
    assert visitor.page.locator("input:visible, textarea, select").count() == 0

    visitor.press("Create a wallet")
    visitor.arrive()
    expect(visitor.page.get_by_role("heading", name="Account 1")).to_be_visible()
    visitor.wait_until_live()

    assert visitor.ceremonies == ["create 64"]
    assert len(visitor.passkeys.all()) == 1
    signer, account = predicted_addresses(visitor)
    assert visitor.account == account
    assert ledger.has_code(account)
    assert ledger.owners(account) == [signer]
    assert ledger.threshold(account) == 1


def test_setting_up_turns_into_live_by_itself(visitor: Visitor) -> None:
    visitor.go()
    with visitor.page.expect_response("**/safes/31337/*/") as first:
        visitor.press("Create a wallet")
    assert "Setting up" in first.value.text()

    visitor.wait_until_live()

    assert visitor.page.get_by_text("Setting up").count() == 0
    assert visitor.noticed["announced"][-1] == "Account 1 is live."


def test_receive_shows_the_address_only_to_a_passkey_that_has_proven_itself(
    visitor: Visitor,
) -> None:
    """R6"""
    visitor.create_wallet()
    account = visitor.account
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.page
    page.get_by_role("main").get_by_role("link", name="Receive").click()
    visitor.sees("not proven yet")
    assert account not in page.get_by_role("main").inner_text()
    assert page.locator("main svg path[stroke]").count() == 0
    assert page.get_by_role("button", name="Copy address").count() == 0

    visitor.press("Prove this passkey")
    expect(page.get_by_role("button", name="Copy address")).to_be_visible(
        timeout=PATIENCE
    )

    assert visitor.ceremonies == ["create 64", "get 32"]
    shown = page.get_by_role("main").inner_text()
    assert account in re.sub(r"\s", "", shown)
    drawn = segno.make(account, error="m", micro=False).svg_inline(
        svgclass=None, lineclass=None, omitsize=True, border=2
    )
    (modules,) = re.findall(r' d="([^"]+)"', drawn)
    assert page.locator(f'main path[d="{modules}"]').is_visible()
    visitor.press("Copy address")
    visitor.sees("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == account


def test_a_payment_arrives_to_the_wei_and_the_pages_follow(
    visitor: Visitor, ledger: Ledger
) -> None:
    visitor.open_wallet()
    account, recipient = visitor.account, new_recipient()
    assert ledger.balance_wei(account) == ETH

    visitor.review(recipient, "0.250000000000000001")
    assert visitor.signed_text("recipient").replace(" ", "") == recipient
    assert visitor.signed_text("amount") == "0.250000000000000001 ETH"
    assert visitor.signed_text("account").replace(" ", "") == account
    assert "31337" in visitor.signed_text("chain")
    assert visitor.signed_text("max-fee").endswith(" ETH")
    assert "Nothing is taken from your account." in visitor.signed_text("payer")
    assert ledger.balance_wei(recipient) == 0
    before = len(visitor.ceremonies)
    visitor.authorize_button.click()
    visitor.wait_until_confirmed()

    assert visitor.ceremonies[before:] == ["get 32"]
    names = [
        item.split()[0] for item in visitor.page.locator("ol > li").all_inner_texts()
    ]
    assert names == STEPS
    for name in STEPS:
        expect(visitor.step(name)).to_contain_text("done")
    assert ledger.balance_wei(recipient) == ETH // 4 + 1
    assert ledger.balance_wei(account) == ETH - ETH // 4 - 1
    (event,) = ledger.operations(account)
    receipt = ledger.receipt(event["transactionHash"])
    shown = visitor.page.get_by_role("region", name="Receipt").inner_text()
    assert receipt["status"] == "0x1"
    assert receipt["transactionHash"] in shown
    assert re.search(rf"Block\s+{int(receipt['blockNumber'], 16)}\b", shown)

    visitor.visit()
    visitor.wait_for_balance("0.749999999999999999 ETH")
    row = visitor.page.get_by_role("listitem").filter(has_text=recipient[-4:])
    expect(row).to_contain_text("0.250000000000000001 ETH")
    expect(row).to_contain_text("Confirmed")


def test_the_same_passkey_in_a_fresh_browser_finds_the_same_account(
    visitor: Visitor, welcome
) -> None:
    visitor.open_wallet()
    account, recipient = visitor.account, new_recipient()
    visitor.pay(recipient, "0.4")
    stored = visitor.stored()
    visitor.press("Sign out")
    visitor.sees("A wallet that opens with your passkey")
    visitor.visit()
    visitor.sees("A wallet that opens with your passkey")

    elsewhere = welcome()
    elsewhere.passkeys.bring(visitor.passkeys.all())
    elsewhere.sign_in()

    assert elsewhere.account == account
    assert elsewhere.ceremonies == ["get 64"]
    elsewhere.wait_for_balance("0.6 ETH")
    elsewhere.sees(recipient[-4:])
    nothing = {"local": [], "session": [], "databases": [], "caches": [], "workers": 0}
    assert stored == nothing
    assert elsewhere.stored() == nothing
