"""What goes wrong for a person is said in words, and what was typed stays."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import Stack
from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.outages import paused_worker
from tests.e2e.tour import BAD_CHECKSUM, REFUSES_ETH
from tests.e2e.visitor import PATIENCE, Visitor

CANCELLED = "The passkey was cancelled or took too long."
NO_PASSKEY = "or took too long, or this device has none for this site."
NO_PASSKEYS = "delete window.PublicKeyCredential;"


def passkey_error(visitor: Visitor) -> Locator:
    """What the page says of a ceremony that did not work."""
    return visitor.page.locator("[data-passkey-error]:visible")


def test_a_cancelled_creation_is_said_and_can_be_tried_again(visitor: Visitor) -> None:
    visitor.passkeys.refuse_to_verify()
    visitor.go()
    visitor.press("Create a wallet")
    expect(passkey_error(visitor)).to_contain_text(CANCELLED, timeout=PATIENCE)
    assert visitor.page.url == f"{visitor.origin}/"

    visitor.passkeys.refuse_to_verify(False)
    visitor.press("Create a wallet")

    visitor.page.wait_for_url("**/safes/**")
    assert visitor.ceremonies == ["create 64", "create 64"]


def test_a_sign_in_without_a_passkey_is_said_in_words(visitor: Visitor) -> None:
    visitor.go()

    visitor.press("Sign in with passkey")

    expect(passkey_error(visitor)).to_contain_text(NO_PASSKEY, timeout=PATIENCE)


def test_a_cancelled_authorization_moves_nothing_and_can_be_tried_again(
    resident: Visitor, ledger: Ledger
) -> None:
    recipient = new_recipient()
    resident.review(recipient, "0.01")
    resident.passkeys.refuse_to_verify()
    resident.authorize_button.click()
    expect(passkey_error(resident)).to_contain_text(CANCELLED, timeout=PATIENCE)
    assert resident.signed_text("amount") == "0.01 ETH"
    assert ledger.balance_wei(recipient) == 0

    resident.passkeys.refuse_to_verify(False)
    resident.authorize_button.click()
    resident.wait_until_included()

    assert ledger.balance_wei(recipient) == ETH // 100


@pytest.mark.parametrize("button", ["Create a wallet", "Sign in with passkey"])
def test_a_browser_without_passkeys_is_told_which_one_has_them(
    visitor: Visitor, button: str
) -> None:
    visitor.context.add_init_script(NO_PASSKEYS)
    visitor.go()

    visitor.press(button)

    expect(passkey_error(visitor)).to_contain_text("Safari 16.4", timeout=PATIENCE)
    assert visitor.ceremonies == []


def test_every_error_of_a_payment_is_named_and_what_was_typed_is_kept(
    resident: Visitor,
) -> None:
    page = resident.page
    resident.fill_payment(BAD_CHECKSUM, "2000")

    resident.press("Review")

    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("first at character 14", timeout=PATIENCE)
    expect(summary).to_contain_text("This is more than the account has.")
    expect(page.get_by_label("Recipient")).to_have_value(BAD_CHECKSUM)
    expect(page.get_by_label("Amount")).to_have_value("2000")


@pytest.mark.thorough
def test_an_account_that_is_not_live_yet_says_so_and_keeps_what_was_typed(
    visitor: Visitor, stack: Stack, ledger: Ledger
) -> None:
    recipient = new_recipient()
    with paused_worker(stack):
        visitor.create_wallet()
        visitor.sees("Waiting for its turn")
        ledger.give(visitor.account, ETH)
        visitor.wait_for_balance("1 ETH")
        visitor.fill_payment(recipient, "0.1")
        visitor.press("Review")
        visitor.sees("This account is not live yet.")
        expect(visitor.page.get_by_label("Recipient")).to_have_value(recipient)
        expect(visitor.page.get_by_label("Amount")).to_have_value("0.1")

    visitor.visit()
    visitor.wait_until_live()
    visitor.pay(recipient, "0.1")
    assert ledger.balance_wei(recipient) == ETH // 10


def test_a_recipient_that_refuses_ether_is_named_before_anything_is_signed(
    resident: Visitor,
) -> None:
    resident.fill_payment(REFUSES_ETH, "0.01")

    resident.press("Review")

    resident.sees("The recipient refused it")
    resident.sees("No money moved.")
    assert resident.ceremonies == []
