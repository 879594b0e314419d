"""R13, R14: another passkey on another device, its name, its end, and the provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.outages import eventually
from tests.e2e.virtual_passkeys import VirtualPasskeys
from tests.e2e.visitor import Visitor

# Notes each signal once the browser has passed it on.
LISTEN = """
window.told = [];
for (const name of Object.getOwnPropertyNames(PublicKeyCredential)) {
  if (!name.startsWith("signal")) continue;
  const original = PublicKeyCredential[name].bind(PublicKeyCredential);
  PublicKeyCredential[name] = async (options) => {
    await original(options);
    window.told.push(name);
  };
}
"""


@pytest.fixture(autouse=True)
def nothing_odd(visitor: Visitor) -> Iterator[None]:
    """No page breaks its policy, asks elsewhere, or complains."""
    yield
    for kind in ("violation", "elsewhere", "console"):
        assert visitor.noticed[kind] == []


def card(visitor: Visitor, place: int) -> Locator:
    """The card of one passkey, oldest first."""
    return visitor.page.locator("article[id^=passkey-]").nth(place)


def settle_in(visitor: Visitor) -> VirtualPasskeys:
    """Create a wallet on one device; return another one, plugged in and untouched."""
    visitor.create_wallet()
    security_key = VirtualPasskeys(visitor.page, transport="usb")
    security_key.hold_still()
    return security_key


def begin_to_add(visitor: Visitor) -> None:
    """Confirm with the first passkey; the choice of places is open then."""
    visitor.go("/passkeys/")
    visitor.press("Add a passkey")
    visitor.sees("Where will the new passkey live?")


def add(visitor: Visitor, security_key: VirtualPasskeys) -> None:
    """Add a passkey on the security key, touching each device in its turn."""
    begin_to_add(visitor)
    security_key.hold_still(False)
    visitor.press("Security key")
    visitor.sees("It signs in only and cannot pay")
    security_key.hold_still()


def rename(visitor: Visitor, place: int, name: str) -> None:
    """Give a passkey a name on its card."""
    visitor.go("/passkeys/")
    card(visitor, place).get_by_text("Rename").first.click()
    card(visitor, place).get_by_label("Name").fill(name)
    card(visitor, place).get_by_role("button", name="Rename").click()


def open_removal(visitor: Visitor, place: int) -> None:
    """Open the page that says what removing a passkey touches."""
    visitor.go("/passkeys/")
    card(visitor, place).get_by_role("link", name=re.compile("Remove")).click()
    visitor.sees(re.compile("^Remove "))


def test_a_passkey_of_another_device_comes_and_goes(
    visitor: Visitor,
) -> None:
    security_key = settle_in(visitor)
    add(visitor, security_key)
    assert visitor.ceremonies == ["create 64", "get 64", "create 64"]
    (first,), (second,) = visitor.passkeys.all(), security_key.all()
    assert first["userHandle"] == second["userHandle"]

    rename(visitor, 1, "Key in the drawer")
    visitor.sees("Renamed to “Key in the drawer”.")
    expect(card(visitor, 1).get_by_role("heading")).to_have_text("Key in the drawer")

    open_removal(visitor, 1)
    visitor.sees("It signs in only: no account on chain names it")
    visitor.press("Remove this passkey")
    visitor.sees("“Key in the drawer” was removed")
    expect(card(visitor, 1)).to_have_count(0)
    assert visitor.ceremonies[3:] == ["get 64"]


def test_the_only_passkey_cannot_be_removed(visitor: Visitor) -> None:
    visitor.create_wallet()

    open_removal(visitor, 0)

    visitor.sees("It is your only passkey.")
    expect(
        visitor.page.get_by_role("button", name="Remove this passkey")
    ).to_have_count(0)


@pytest.mark.thorough
def test_a_creation_that_failed_may_be_tried_again_on_the_same_page(
    visitor: Visitor,
) -> None:
    security_key = settle_in(visitor)
    begin_to_add(visitor)
    security_key.hold_still(False)
    security_key.refuse_to_verify()
    visitor.press("Security key")
    visitor.sees("Nothing was changed")
    assert security_key.all() == []

    security_key.refuse_to_verify(False)
    visitor.press("Security key")

    visitor.sees("It signs in only and cannot pay")
    assert len(security_key.all()) == 1


def test_a_device_that_has_a_passkey_here_gets_no_second_one(visitor: Visitor) -> None:
    visitor.create_wallet()
    begin_to_add(visitor)

    visitor.press("This device")

    visitor.sees("already has a passkey here")
    assert len(visitor.passkeys.all()) == 1


@pytest.mark.thorough
def test_the_new_passkey_signs_the_same_person_in(
    visitor: Visitor,
) -> None:
    security_key = settle_in(visitor)
    account = visitor.account
    add(visitor, security_key)
    visitor.go(f"/safes/31337/{account}/settings/")
    visitor.page.get_by_role("button", name="Sign out").first.click()
    expect(visitor.page.get_by_text("Create a wallet").first).to_be_visible()
    visitor.passkeys.hold_still()
    security_key.hold_still(False)

    visitor.sign_in()

    assert visitor.account == account


def hears_of(visitor: Visitor, changes: int) -> None:
    """Wait until the provider was told; wait_for_function would break the policy."""
    told = partial(visitor.page.evaluate, f"told.length === {changes}")
    eventually(told, f"the provider hears of {changes} changes")


@pytest.mark.thorough
def test_the_provider_hears_of_a_name_and_of_a_passkey_that_is_gone(
    visitor: Visitor,
) -> None:
    """The devices change their own lists, as password managers do."""
    security_key = settle_in(visitor)
    visitor.context.add_init_script(LISTEN)
    add(visitor, security_key)
    assert len(security_key.all()) == 1

    rename(visitor, 0, "Laptop")
    visitor.sees("Renamed to “Laptop”.")
    hears_of(visitor, 2)
    assert visitor.page.evaluate("told") == [
        "signalAllAcceptedCredentials",
        "signalCurrentUserDetails",
    ]
    (first,) = visitor.passkeys.all()
    assert first["userDisplayName"] == "Laptop"

    open_removal(visitor, 1)
    visitor.press("Remove this passkey")
    visitor.sees("was removed")
    hears_of(visitor, 3)
    assert visitor.page.evaluate("told[0]") == "signalUnknownCredential"
    assert security_key.all() == []
    assert len(visitor.passkeys.all()) == 1

    visitor.go("/passkeys/")
    assert visitor.page.locator("#passkey-signals").count() == 0
