"""Everything with Tab and Enter, and said aloud to who does not see it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.visitor import PATIENCE, Visitor

MOST_STOPS = 40  # of the Tab key on any page
SITE_SETS_UP = "This site sets it up Latchkey puts it on the chain and pays for that."
FOCUSED = """() => {
  const item = document.activeElement;
  const label = item.labels?.[0]?.textContent ?? item.getAttribute("aria-label");
  return (label ?? item.textContent).replace(/\\s+/g, " ").trim();
}"""
# The focus shows on the thing itself, or on the box that is drawn around a field.
RING = """() => {
  const drawn = (item) => {
    const style = getComputedStyle(item);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  };
  return drawn(document.activeElement) || drawn(document.activeElement.parentElement);
}"""


def tab_to(visitor: Visitor, name: str) -> None:
    """Press Tab until the thing with this name has the focus, and shows it."""
    for _stop in range(MOST_STOPS):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate(FOCUSED) == name:
            assert visitor.page.evaluate(RING), f"{name} does not show its focus"
            return
    raise AssertionError(f"Tab never reaches {name}")


def test_a_wallet_is_made_and_a_payment_sent_with_the_keyboard_alone(
    visitor: Visitor, ledger: Ledger
) -> None:
    keyboard, recipient = visitor.page.keyboard, new_recipient()
    visitor.go()
    tab_to(visitor, "Create a wallet")
    keyboard.press("Enter")
    visitor.arrive()
    visitor.wait_until_live()
    tab_to(visitor, "Get test ETH")
    keyboard.press("Enter")
    visitor.wait_for_balance("1 ETH")
    visitor.page.reload()
    tab_to(visitor, "Send")
    keyboard.press("Enter")
    visitor.page.wait_for_url("**/send/")
    tab_to(visitor, "Recipient")
    keyboard.type(recipient)
    tab_to(visitor, "Amount")
    keyboard.type("0.5")
    keyboard.press("Enter")
    expect(visitor.authorize_button).to_be_visible(timeout=PATIENCE)
    tab_to(visitor, "Authorize with passkey")
    keyboard.press("Enter")
    visitor.wait_until_confirmed()

    assert ledger.balance_wei(recipient) == ETH // 2
    announced = visitor.noticed["announced"]
    assert "Account 1 is live." in announced
    assert announced[-1] == "Confirmed."


@pytest.mark.thorough
def test_another_account_is_opened_and_one_looked_up_with_the_keyboard_alone(
    visitor: Visitor,
) -> None:
    keyboard = visitor.page.keyboard
    visitor.create_wallet()
    visitor.go("/accounts/new/")
    tab_to(visitor, "Passkey")
    tab_to(visitor, SITE_SETS_UP)
    keyboard.press("ArrowDown")
    tab_to(visitor, "Create this account")
    keyboard.press("Enter")
    visitor.sees("Waits for your first payment")
    visitor.arrive()

    visitor.go("/accounts/add/")
    tab_to(visitor, "Address")
    keyboard.type(visitor.account)
    keyboard.press("Enter")
    visitor.sees("You have this account already")

    tab_to(visitor, "Look up another address")


def test_the_focus_goes_to_the_summary_of_errors_and_from_there_to_the_field(
    resident: Visitor,
) -> None:
    resident.fill_payment("0x1234", "")
    resident.page.get_by_label("Amount").press("Enter")

    summary = resident.page.locator("#error-summary")
    expect(summary).to_be_focused(timeout=PATIENCE)
    resident.page.keyboard.press("Tab")
    resident.page.keyboard.press("Enter")

    expect(resident.page.get_by_label("Recipient")).to_be_focused()


def test_the_first_stop_skips_to_the_content(resident: Visitor) -> None:
    resident.visit()
    resident.page.keyboard.press("Tab")
    skip = resident.page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()

    resident.page.keyboard.press("Enter")

    expect(resident.page.locator("#main")).to_be_focused()


def test_a_refused_authorization_is_said_aloud_and_leaves_the_focus(
    resident: Visitor,
) -> None:
    resident.review(new_recipient(), "0.01")
    resident.passkeys.refuse_to_verify()
    tab_to(resident, "Authorize with passkey")

    resident.page.keyboard.press("Enter")

    said = resident.page.get_by_role("alert").filter(has_text="cancelled")
    expect(said).to_be_visible(timeout=PATIENCE)
    expect(resident.authorize_button).to_be_focused()
