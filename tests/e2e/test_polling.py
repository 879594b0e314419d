"""While a page asks for news, nothing moves under the reader's hands."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Stack
from tests.e2e.ledger import new_recipient
from tests.e2e.outages import paused_worker
from tests.e2e.visitor import PATIENCE, Visitor

MOST_SHIFT = 0.02  # of the layout, as Chromium counts it
ROUNDS = 2


def wait_for_polls(page: Page, ending: str) -> None:
    """Return after some more answers to a fragment's polling."""
    for _round in range(ROUNDS):
        with page.expect_response(lambda answer: answer.url.endswith(ending)):
            pass


@pytest.mark.thorough
def test_an_open_disclosure_and_the_focus_survive_polling(
    resident: Visitor, stack: Stack
) -> None:
    page = resident.page
    resident.review(new_recipient(), "0.01")
    with paused_worker(stack):
        resident.authorize_button.click()
        resident.sees("Handing it to the network")
        details = page.locator("details").filter(has_text="Technical details")
        details.locator("summary").click()
        wait_for_polls(page, "/card")

        expect(details).to_have_attribute("open", "")
        expect(details.locator("summary")).to_be_focused()
    resident.wait_until_included()
    expect(details).to_have_attribute("open", "")


def test_news_that_takes_the_focused_button_away_leaves_the_focus_on_its_card(
    visitor: Visitor, stack: Stack
) -> None:
    visitor.create_wallet()
    visitor.wait_until_live()
    button = visitor.page.get_by_role("button", name="Get test ETH")
    button.focus()
    other, _passkeys = visitor.open_tab()
    other.goto(visitor.page.url)
    with paused_worker(stack):
        other.get_by_role("button", name="Get test ETH").click()

        expect(visitor.page.get_by_text("Test ETH is on its way")).to_be_visible()

        card = visitor.page.locator("section[id^=safe-]")
        expect(card).to_be_focused()
        wait_for_polls(visitor.page, "/overview")
        expect(card).to_be_focused()


@pytest.mark.thorough
def test_nothing_jumps_while_a_payment_goes_its_way(resident: Visitor) -> None:
    page = resident.page
    resident.review(new_recipient(), "0.01")
    resident.authorize_button.click()
    expect(resident.step("Reviewed")).to_contain_text("done", timeout=PATIENCE)
    page.evaluate("() => { window.jumped = 0; }")

    resident.wait_until_confirmed()

    assert page.evaluate("() => window.jumped") < MOST_SHIFT


@pytest.mark.thorough
def test_nothing_jumps_on_the_page_of_an_account(visitor: Visitor) -> None:
    visitor.create_wallet()
    visitor.wait_until_live()
    visitor.press("Get test ETH")
    visitor.wait_for_balance("1 ETH")

    assert visitor.page.evaluate("() => window.jumped") < MOST_SHIFT


def session_cookies(visitor: Visitor) -> list[Any]:
    """Return the cookie of the session, its expiry included."""
    cookies = visitor.context.cookies()
    return [cookie for cookie in cookies if "session" in cookie["name"]]


def test_a_form_in_use_is_never_replaced_by_news(resident: Visitor) -> None:
    news = resident.page.locator("main [hx-trigger]")
    resident.fill_payment(new_recipient(), "0.01")
    assert news.count() == 0

    resident.press("Review")
    expect(resident.authorize_button).to_be_visible(timeout=PATIENCE)

    assert news.count() == 0


def test_polling_neither_extends_nor_writes_the_session(
    visitor: Visitor, stack: Stack
) -> None:
    """R14"""
    with paused_worker(stack):
        visitor.create_wallet()
        (before,) = session_cookies(visitor)

        wait_for_polls(visitor.page, "/overview")

        assert session_cookies(visitor) == [before]
