"""Two tabs, double clicks, the back button: one payment (security.md R50, R64, R65)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.visitor import PATIENCE, Visitor

# A browser drops most of a double click's second post; five at once all arrive.
POST_FIVE_TIMES = """async () => {
  const form = document.querySelector("main form");
  const post = () => fetch(form.action, { method: "POST", body: new FormData(form) });
  await Promise.all(Array.from({ length: 5 }, post));
}"""


def payments_to(visitor: Visitor, recipient: str) -> int:
    """Return how many payments to the recipient the activity page lists."""
    visitor.visit("activity/")
    visitor.page.get_by_role("heading", name="Activity").wait_for()
    return visitor.page.get_by_role("listitem").filter(has_text=recipient[-4:]).count()


def test_pressing_review_many_times_makes_one_payment(resident: Visitor) -> None:
    recipient = new_recipient()
    resident.fill_payment(recipient, "0.01")
    resident.page.evaluate(POST_FIVE_TIMES)

    resident.page.get_by_role("button", name="Review").dblclick()
    expect(resident.authorize_button).to_be_visible(timeout=PATIENCE)

    assert payments_to(resident, recipient) == 1


def test_a_double_click_on_authorize_is_one_ceremony_and_one_payment(
    resident: Visitor, ledger: Ledger
) -> None:
    recipient = new_recipient()
    resident.review(recipient, "0.01")
    before = len(ledger.operations(resident.account))

    resident.authorize_button.dblclick()
    resident.wait_until_included()

    assert resident.ceremonies == ["get 32"]
    assert len(ledger.operations(resident.account)) == before + 1
    assert ledger.balance_wei(recipient) == ETH // 100


def open_again(visitor: Visitor) -> Page:
    """Open the review of this tab in another one, on the same device."""
    page, passkeys = visitor.open_tab()
    passkeys.bring(visitor.passkeys.all())
    page.goto(visitor.page.url)
    button = page.get_by_role("button", name="Authorize with passkey")
    expect(button).to_be_visible(timeout=PATIENCE)
    return page


def test_authorizing_in_two_tabs_is_one_payment_that_both_show(
    resident: Visitor, ledger: Ledger
) -> None:
    recipient = new_recipient()
    resident.review(recipient, "0.01")
    before = len(ledger.operations(resident.account))
    other = open_again(resident)

    resident.authorize_button.click()
    resident.wait_until_included()
    other.get_by_role("button", name="Authorize with passkey").click()
    sent = other.get_by_role("heading", name="0.01 ETH sent")
    expect(sent).to_be_visible(timeout=PATIENCE)
    other.close()

    assert len(ledger.operations(resident.account)) == before + 1
    assert ledger.balance_wei(recipient) == ETH // 100


@pytest.mark.thorough
def test_a_payment_that_another_tab_discarded_cannot_be_authorized(
    resident: Visitor, ledger: Ledger
) -> None:
    recipient = new_recipient()
    resident.review(recipient, "0.01")
    before = len(ledger.operations(resident.account))
    other = open_again(resident)

    resident.press("Discard this payment")
    resident.sees("You discarded this payment")
    other.get_by_role("button", name="Authorize with passkey").click()
    said = other.get_by_role("alert")
    expect(said).to_contain_text("in another tab", timeout=PATIENCE)
    other.close()

    assert len(ledger.operations(resident.account)) == before
    assert ledger.balance_wei(recipient) == 0


@pytest.mark.thorough
def test_going_back_after_confirmed_sends_nothing(
    resident: Visitor, ledger: Ledger
) -> None:
    recipient, page = new_recipient(), resident.page
    resident.pay(recipient, "0.01")
    resident.wait_until_confirmed()
    before = len(ledger.operations(resident.account))

    page.go_back()
    expect(page.get_by_label("Recipient")).to_be_visible(timeout=PATIENCE)
    page.go_forward()
    resident.wait_until_confirmed()
    page.reload()
    resident.wait_until_confirmed()

    assert len(ledger.operations(resident.account)) == before
    assert payments_to(resident, recipient) == 1


@pytest.mark.thorough
def test_the_same_payment_soon_after_is_asked_about_and_goes_through_when_meant(
    resident: Visitor, ledger: Ledger
) -> None:
    recipient, page = new_recipient(), resident.page
    resident.pay(recipient, "0.01")
    resident.fill_payment(recipient, "0.01")
    resident.press("Review")
    resident.sees("Send it a second time?")
    assert payments_to(resident, recipient) == 1

    resident.fill_payment(recipient, "0.01")
    resident.press("Review")
    page.get_by_label("Send it a second time").check()
    resident.press("Review")
    expect(resident.authorize_button).to_be_visible(timeout=PATIENCE)
    resident.authorize_button.click()
    resident.wait_until_included()

    assert ledger.balance_wei(recipient) == 2 * ETH // 100
