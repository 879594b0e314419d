"""A recovery address with a delay: another device of one's own, as the only guardian."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.ledger import Ledger
from tests.e2e.survey import Survey
from tests.e2e.test_passkey_changes import add
from tests.e2e.virtual_passkeys import VirtualPasskeys
from tests.e2e.visitor import PATIENCE, Visitor


@pytest.mark.thorough
def test_another_device_of_ones_own_becomes_the_only_guardian(
    visitor: Visitor, ledger: Ledger
) -> None:
    survey, page = Survey(), visitor.page
    visitor.open_wallet()
    device = VirtualPasskeys(page, transport="usb")
    device.hold_still()
    add(visitor, device)

    visitor.visit("second-way/")
    page.get_by_role("link", name="Set up a recovery address").click()
    visitor.sees("Or a recovery address with a delay")
    page.get_by_role("link", name="Another passkey of yours").click()
    visitor.sees("Whoever takes that device")
    page.locator("section[aria-labelledby=own-passkeys] a").click()
    visitor.sees("Show that it can sign")
    survey.look_at("guardian-passkey", page)
    device.hold_still(False)
    visitor.press("Prove this passkey")
    # The chain's answer comes by itself, and what was typed meanwhile stays.
    page.get_by_label("Nobody can warn me.").check()
    ready = page.get_by_role("link", name="choose it now")
    shown = ready.or_(page.get_by_text("Your own passkey: whoever takes it"))
    expect(shown.first).to_be_visible(timeout=PATIENCE)
    visitor.visit("recovery/set-up/")
    visitor.sees("Your own passkey: whoever takes it is a guardian then")
    survey.look_at("recovery-set-up-own", page)
    page.get_by_label("How many guardians must approve").select_option("1")
    page.get_by_label("Time to cancel").select_option(label="3 minutes")
    page.get_by_label("Nobody can warn me.").check()
    visitor.press("Review setting up recovery")
    visitor.authorize_button.click()
    visitor.wait_until_included()

    visitor.visit("recovery/")
    visitor.reloads_until("1 of 1 guardian")
    visitor.sees("is a key of the owners themselves")
    visitor.sees("the others are too few to bring the account back")
    survey.look_at("recovery-own", page)
    visitor.visit("settings/")
    page.get_by_role("link", name=re.compile("Accounts you protect")).last.click()
    visitor.sees("Account 1")
    assert (survey.barriers, survey.sideways) == ([], [])
    for kind in ("violation", "elsewhere", "console"):
        assert visitor.noticed[kind] == []
