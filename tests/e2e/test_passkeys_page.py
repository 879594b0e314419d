"""The passkeys page in a browser: read by keyboard, true after a touch, and exported.

C-25: the file that is saved rebuilds the account. I-05: the state is refreshed by use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from onchain.protocol.safe import account_address, signer_address
from onchain.protocol.types import PublicKey, checksum_address, parse_hex
from tests.e2e.conftest import Welcome
from tests.e2e.test_keyboard import FOCUSED, tab_to
from tests.e2e.virtual_passkeys import VirtualPasskeys
from tests.e2e.visitor import PATIENCE, Visitor

ANOTHER_DEVICE = "You signed in with a passkey from another device"


@pytest.fixture(autouse=True)
def nothing_odd(visitor: Visitor) -> Iterator[None]:
    """No page breaks its policy, asks elsewhere, or complains."""
    yield
    for kind in ("violation", "elsewhere", "console"):
        assert visitor.noticed[kind] == []


def saved_file(visitor: Visitor) -> dict[str, Any]:
    """Press the link of the export; return what was saved."""
    with visitor.page.expect_download(timeout=PATIENCE) as download:
        visitor.page.get_by_role("link", name="Download the export kit").click()
    assert download.value.suggested_filename.startswith("latchkey-")
    saved: dict[str, Any] = json.loads(Path(download.value.path()).read_text())
    return saved


@pytest.mark.thorough
def test_the_page_is_reached_and_read_with_the_keyboard_alone(
    visitor: Visitor,
) -> None:
    keyboard = visitor.page.keyboard
    visitor.create_wallet()

    tab_to(visitor, "Passkeys")
    keyboard.press("Enter")
    visitor.page.wait_for_url("**/passkeys/")
    tab_to(visitor, "Technical details of Unknown provider")
    keyboard.press("Enter")
    visitor.sees("Flags of its last answer")
    tab_to(visitor, "Copy Credential id")
    tab_to(visitor, "Remove Unknown provider")
    tab_to(visitor, "Add a passkey")
    tab_to(visitor, "Download the export kit")

    assert visitor.page.evaluate(FOCUSED) == "Download the export kit"


def test_a_touch_shows_at_once_what_the_passkey_has_done(visitor: Visitor) -> None:
    visitor.create_wallet()
    visitor.go("/passkeys/")
    visitor.sees("Not proven yet")
    visitor.sees("Never")

    visitor.page.get_by_role("link", name="Prove this passkey for Account 1").click()
    visitor.press("Prove this passkey")
    copy = visitor.page.get_by_role("button", name="Copy address")
    expect(copy).to_be_visible(timeout=PATIENCE)
    visitor.go("/passkeys/")

    visitor.sees("Proven on")
    signed = visitor.page.get_by_text("Last signed for the chain").locator("+ dd")
    expect(signed).to_have_text("just now")
    expect(visitor.page.get_by_text("Not proven yet")).to_have_count(0)


def test_the_saved_file_rebuilds_the_account(visitor: Visitor) -> None:
    visitor.create_wallet()
    visitor.go("/passkeys/")

    file = saved_file(visitor)

    (account,), (chain,), (passkey,) = (
        file[name] for name in ("accounts", "chains", "passkeys")
    )
    key = PublicKey(x=int(passkey["x"], 16), y=int(passkey["y"], 16))
    assert key == visitor.passkeys.public_key()
    signer = signer_address(
        public_key=key,
        proxy_code=parse_hex(chain["signerProxyCreationCode"]),
        verifiers=int(chain["verifiers"]),
    )
    address = account_address(
        setup=parse_hex(account["setupData"]), salt_nonce=int(account["saltNonce"])
    )
    assert checksum_address(signer) == account["owners"][0]["address"]
    assert checksum_address(address) == account["address"] == visitor.account


@pytest.mark.thorough
def test_after_a_sign_in_with_another_device_this_one_is_offered(
    visitor: Visitor, welcome: Welcome
) -> None:
    visitor.create_wallet()
    guest = welcome()
    guest.passkeys.hold_still()
    phone = VirtualPasskeys(guest.page, transport="usb")
    phone.bring(visitor.passkeys.all())

    guest.sign_in()

    guest.sees(ANOTHER_DEVICE)
    guest.go("/passkeys/")
    guest.sees(ANOTHER_DEVICE)
    # A virtual device cannot be a phone beyond a QR code: by its transports, this
    # passkey is looked for in the browser's own device alone.
    guest.passkeys.bring(visitor.passkeys.all())
    guest.passkeys.hold_still(False)
    guest.press("Add this device")
    guest.sees("Where will the new passkey live?")
    assert guest.noticed["violation"] == guest.noticed["console"] == []


@pytest.mark.thorough
def test_on_ones_own_device_nothing_is_offered(visitor: Visitor) -> None:
    visitor.create_wallet()
    visitor.press("Sign out")
    visitor.sign_in()

    visitor.go("/passkeys/")

    visitor.sees("This browser signed in with it")
    expect(visitor.page.get_by_text(ANOTHER_DEVICE)).to_have_count(0)
