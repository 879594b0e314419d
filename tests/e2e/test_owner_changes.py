"""Owners come, must approve together, go, and are replaced, from the owners page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.test_add_device import open_review
from tests.e2e.test_keyboard import tab_to
from tests.e2e.virtual_passkeys import VirtualPasskeys
from tests.e2e.visitor import PATIENCE, Visitor


@pytest.fixture(autouse=True)
def nothing_odd(visitor: Visitor) -> Iterator[None]:
    """No page breaks its policy, asks elsewhere, or complains."""
    yield
    for kind in ("violation", "elsewhere", "console"):
        assert visitor.noticed[kind] == []


def authorize(visitor: Visitor) -> None:
    """Authorize the review that is about to open, once it is."""
    expect(visitor.authorize_button).to_be_visible(timeout=PATIENCE)
    visitor.authorize_button.click()


def ask(visitor: Visitor, **choices: str) -> None:
    """Fill the open form in and ask for its review."""
    for name, value in choices.items():
        visitor.page.locator(f"select[name={name}]").select_option(value)
    visitor.press("Review")


def enter(visitor: Visitor, name: str) -> None:
    """Press Tab until the focus is there, then Enter."""
    tab_to(visitor, name)
    visitor.page.keyboard.press("Enter")


@pytest.mark.thorough
def test_an_owner_comes_must_approve_goes_and_takes_a_place(visitor: Visitor) -> None:
    visitor.open_wallet()
    key = VirtualPasskeys(visitor.page, transport="usb")
    key.hold_still()
    open_review(visitor, key)
    authorize(visitor)
    visitor.wait_until_confirmed()
    visitor.visit("owners/")
    visitor.sees("1 of 2 must approve")

    # This one with the keyboard alone.
    enter(visitor, "Change how many must approve")
    visitor.page.wait_for_url("**/owners/threshold/")
    tab_to(visitor, "How many must approve")
    visitor.page.keyboard.press("2")
    enter(visitor, "Review")
    visitor.sees("All 2 owners must then approve.")
    enter(visitor, "Authorize with passkey")
    visitor.wait_until_confirmed()
    visitor.visit("owners/")
    visitor.sees("2 of 2 must approve")

    visitor.page.get_by_role("link", name="Remove 0x").first.click()
    removed = visitor.page.locator("select[name=removed]").input_value()
    ask(visitor, threshold="1")
    authorize(visitor)
    visitor.sees("1 of 2")
    visitor.passkeys.hold_still()
    key.hold_still(False)
    authorize(visitor)
    visitor.wait_until_confirmed()
    visitor.sees("Owner removed")
    visitor.visit("owners/")
    visitor.sees("1 of 1 must approve")

    key.hold_still()
    visitor.passkeys.hold_still(False)
    visitor.page.get_by_role("link", name="Replace 0x").click()
    ask(visitor, new=removed)
    authorize(visitor)
    visitor.wait_until_confirmed()
    visitor.sees("Owner replaced")
    visitor.visit("owners/")
    expect(visitor.page.get_by_text(removed)).to_be_visible()
