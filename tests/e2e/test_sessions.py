"""R14: a session that ends while its page is open, and the list that ends others."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import Stack
from tests.e2e.conftest import Welcome
from tests.e2e.ledger import new_recipient
from tests.e2e.survey import AXE, LOOK, RULES
from tests.e2e.test_keyboard import tab_to
from tests.e2e.visitor import PATIENCE, Visitor

IDLE = 900  # seconds, the default limit


def put_back(stack: Stack, visitor: Visitor, seconds: int) -> None:
    """Let nothing have been done for so long, in every session of one account's owner."""
    statement = """
        UPDATE accounts_session
        SET last_seen_at = strftime('%Y-%m-%d %H:%M:%f', 'now', ?)
        WHERE user_id = (SELECT created_by_id FROM onchain_safe WHERE address = ?)
    """
    address = bytes.fromhex(visitor.account[2:])
    database = sqlite3.connect(stack.var_dir / "latchkey.sqlite3", timeout=20)
    with closing(database), database:
        changed = database.execute(statement, [f"-{seconds} seconds", address])
        assert changed.rowcount >= 1


def asks_to_sign_in(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Sign in to go on")


def sign_in_again(page: Page) -> None:
    """Answer the dialog with the passkey of this tab's device."""
    button = asks_to_sign_in(page).get_by_role("button", name="Sign in with passkey")
    expect(button).to_be_focused(timeout=PATIENCE)
    page.keyboard.press("Enter")


def barriers(page: Page) -> list[str]:
    """Return what axe finds, light and dark."""
    page.evaluate(AXE.read_text())
    found = []
    for scheme, options in RULES.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += page.evaluate(LOOK, options)
    return found


# --- What was being done goes on -------------------------------------------------------


def test_a_form_goes_on_after_a_sign_in_in_place(
    resident: Visitor, stack: Stack
) -> None:
    page, recipient = resident.page, new_recipient()
    resident.fill_payment(recipient, "0.01")
    put_back(stack, resident, IDLE + 1)
    page.get_by_label("Amount").focus()
    page.keyboard.press("Enter")

    expect(asks_to_sign_in(page)).to_be_visible(timeout=PATIENCE)
    assert barriers(page) == []
    sign_in_again(page)

    expect(resident.authorize_button).to_be_visible(timeout=PATIENCE)
    assert resident.signed_text("recipient") == recipient
    assert resident.signed_text("amount") == "0.01 ETH"
    assert resident.ceremonies == ["get 64"]
    assert resident.noticed["violation"] == resident.noticed["console"] == []


@pytest.mark.thorough
def test_the_dialog_can_be_put_away_and_comes_back(
    resident: Visitor, stack: Stack
) -> None:
    page, recipient = resident.page, new_recipient()
    resident.fill_payment(recipient, "0.01")
    put_back(stack, resident, IDLE + 1)
    resident.press("Review")
    expect(asks_to_sign_in(page)).to_be_visible(timeout=PATIENCE)

    page.keyboard.press("Escape")

    expect(asks_to_sign_in(page)).to_be_hidden()
    expect(page.get_by_role("button", name="Review")).to_be_focused()
    expect(page.get_by_label("Recipient")).to_have_value(recipient)
    page.keyboard.press("Enter")
    sign_in_again(page)
    expect(resident.authorize_button).to_be_visible(timeout=PATIENCE)


@pytest.mark.thorough
def test_a_refused_sign_in_is_said_and_can_be_tried_again(
    resident: Visitor, stack: Stack
) -> None:
    page = resident.page
    resident.fill_payment(new_recipient(), "0.01")
    put_back(stack, resident, IDLE + 1)
    resident.press("Review")
    resident.passkeys.refuse_to_verify()
    sign_in_again(page)
    said = asks_to_sign_in(page).get_by_role("alert")
    expect(said).to_contain_text("Nothing was changed", timeout=PATIENCE)

    resident.passkeys.refuse_to_verify(False)
    sign_in_again(page)

    expect(resident.authorize_button).to_be_visible(timeout=PATIENCE)


def test_a_payment_is_never_authorized_by_the_touch_that_signs_in(
    resident: Visitor, stack: Stack
) -> None:
    page = resident.page
    resident.review(new_recipient(), "0.01")
    put_back(stack, resident, IDLE + 1)
    resident.authorize_button.click()
    expect(asks_to_sign_in(page)).to_be_visible(timeout=PATIENCE)

    sign_in_again(page)

    expect(asks_to_sign_in(page)).to_be_hidden(timeout=PATIENCE)
    expect(resident.authorize_button).to_be_focused()
    assert resident.ceremonies == ["get 32", "get 64"]
    assert "You are signed in again." in resident.noticed["announced"]
    page.keyboard.press("Enter")
    resident.wait_until_included()
    assert resident.ceremonies == ["get 32", "get 64", "get 32"]


@pytest.mark.thorough
def test_somebody_else_is_led_to_their_own_start_page(
    visitor: Visitor, welcome: Welcome, stack: Stack
) -> None:
    visitor.create_wallet()
    other = welcome()
    other.create_wallet()
    page, passkeys = visitor.open_tab()
    passkeys.bring(other.passkeys.all())
    page.goto(f"{stack.origin}/safes/31337/{visitor.account}/send/")
    page.get_by_label("Amount").fill("0.01")
    put_back(stack, visitor, IDLE + 1)
    page.get_by_role("button", name="Review").click()
    expect(asks_to_sign_in(page)).to_be_visible(timeout=PATIENCE)

    sign_in_again(page)

    page.wait_for_url(f"**/safes/31337/{other.account}/")


# --- Polling and counting --------------------------------------------------------------


def overviews(page: Page) -> list[str]:
    """Return the requests for the account's card from now on, as they are made."""
    asked: list[str] = []
    page.on(
        "request",
        lambda request: (
            asked.append(request.url) if request.url.endswith("/overview") else None
        ),
    )
    return asked


@pytest.mark.thorough
def test_polling_stops_at_the_end_and_goes_on_after_it(
    resident: Visitor, stack: Stack
) -> None:
    page, _passkeys = resident.open_tab()
    _passkeys.bring(resident.passkeys.all())
    page.clock.install()
    page.goto(f"{stack.origin}/safes/31337/{resident.account}/")
    address = page.url
    put_back(stack, resident, IDLE + 1)
    page.clock.run_for(5_000)
    expect(asks_to_sign_in(page)).to_be_visible(timeout=PATIENCE)
    asked = overviews(page)

    page.clock.run_for(20_000)

    assert asked == []
    assert page.url == address
    sign_in_again(page)
    expect(asks_to_sign_in(page)).to_be_hidden(timeout=PATIENCE)
    with page.expect_response(lambda answer: answer.url.endswith("/overview")) as found:
        page.clock.run_for(5_000)
    assert found.value.status == 200
    page.close()


@pytest.mark.thorough
def test_a_minute_before_the_end_one_key_is_enough_to_stay(
    resident: Visitor, stack: Stack
) -> None:
    page, _passkeys = resident.open_tab()
    page.clock.install()
    page.goto(f"{stack.origin}/safes/31337/{resident.account}/send/")
    page.get_by_label("Amount").fill("0.01")
    put_back(stack, resident, IDLE - 50)

    page.clock.fast_forward((IDLE - 55) * 1000)

    offer = page.get_by_role("dialog", name="Are you still here?")
    stay = offer.get_by_role("button", name="Stay signed in")
    expect(stay).to_be_focused(timeout=PATIENCE)
    assert barriers(page) == []
    page.keyboard.press("Enter")
    expect(offer).to_be_hidden(timeout=PATIENCE)
    expect(page.get_by_label("Amount")).to_be_focused()
    expect(page.get_by_label("Amount")).to_have_value("0.01")
    page.clock.fast_forward(60_000)
    expect(asks_to_sign_in(page)).to_be_hidden()
    page.close()


@pytest.mark.thorough
def test_at_the_end_the_page_says_after_how_long_and_waits(
    resident: Visitor, stack: Stack
) -> None:
    page, passkeys = resident.open_tab()
    passkeys.bring(resident.passkeys.all())
    page.clock.install()
    page.goto(f"{stack.origin}/safes/31337/{resident.account}/send/")
    page.get_by_label("Amount").fill("0.01")
    put_back(stack, resident, IDLE + 1)

    page.clock.fast_forward((IDLE + 1) * 1000)

    dialog = asks_to_sign_in(page)
    expect(dialog).to_contain_text(
        "You were signed out after 15 minutes without use. Sign in to go on; "
        "what you typed is still here.",
        timeout=PATIENCE,
    )
    sign_in_again(page)
    expect(dialog).to_be_hidden(timeout=PATIENCE)
    expect(page.get_by_label("Amount")).to_be_focused()
    expect(page.get_by_label("Amount")).to_have_value("0.01")
    page.close()


# --- The list --------------------------------------------------------------------------


def test_another_browser_is_signed_out_from_the_list_with_the_keyboard(
    visitor: Visitor, welcome: Welcome
) -> None:
    visitor.create_wallet()
    phone = welcome(
        user_agent="Mozilla/5.0 (Android 16; Mobile; rv:145.0) Firefox/145.0"
    )
    phone.passkeys.bring(visitor.passkeys.all())
    phone.sign_in()
    visitor.go("/passkeys/")
    places = visitor.page.locator("#sessions li")
    expect(places).to_have_count(2, timeout=PATIENCE)
    expect(places.nth(0)).to_contain_text("This browser")
    expect(places.nth(1)).to_contain_text("Firefox on Android")

    places.nth(1).get_by_role("button", name="Sign out Firefox on Android").focus()
    visitor.page.keyboard.press("Enter")

    expect(places).to_have_count(1, timeout=PATIENCE)
    visitor.sees("That browser is signed out.")
    expect(asks_to_sign_in(phone.page)).to_be_visible(timeout=PATIENCE)


@pytest.mark.thorough
def test_all_other_browsers_are_signed_out_at_once(
    visitor: Visitor, welcome: Welcome
) -> None:
    visitor.create_wallet()
    phone = welcome()
    phone.passkeys.bring(visitor.passkeys.all())
    phone.sign_in()
    visitor.go("/passkeys/")
    tab_to(visitor, "Sign out all others")

    visitor.page.keyboard.press("Enter")

    visitor.sees("Every other browser is signed out.")
    visitor.sees("No other browser is signed in.")
    expect(asks_to_sign_in(phone.page)).to_be_visible(timeout=PATIENCE)
