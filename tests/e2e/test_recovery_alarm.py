"""R58: a recovery that somebody begins elsewhere is noticed by everybody in a minute."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from onchain.protocol import recovery
from onchain.protocol.deployments import RECOVERY_MODULES, TEST_RECOVERY_DELAY
from onchain.protocol.types import Address, Call, checksum_address, to_address
from tests.conftest import Stack
from tests.e2e.conftest import Welcome
from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.survey import Survey
from tests.e2e.visitor import PATIENCE, Visitor

MODULE = RECOVERY_MODULES[TEST_RECOVERY_DELAY]
CONTACT = "anna@example.org"
LINK = re.compile(r"http://localhost:\d+/alerts/answer#([\w-]{43})")
ALARM_SECONDS = 60


def printed(stack: Stack, pattern: re.Pattern[str], since: int) -> str:
    """Wait until the worker prints a mail with this in it; return what fits."""
    deadline = time.monotonic() + PATIENCE / 1_000
    while (found := pattern.search(stack.logs(), since)) is None:
        assert time.monotonic() < deadline, f"no mail with {pattern.pattern}"
        time.sleep(0.1)
    return found[0]


def send_as(ledger: Ledger, sender: Address, call: Call) -> None:
    """Send a call from an address that had no money and whose key nobody has."""
    ledger.give(checksum_address(sender), ETH // 10)
    ledger.act_as(checksum_address(sender), call)


def take_over(ledger: Ledger, account: Address, thief: Address) -> None:
    """Make an accomplice the guardian, and let them begin a recovery."""
    accomplice = to_address(new_recipient())
    owners = [to_address(owner) for owner in ledger.owners(checksum_address(account))]
    send_as(
        ledger, account, recovery.enable_module_call(account=account, module=MODULE)
    )
    adding = recovery.add_guardian_call(
        module=MODULE,
        account=account,
        guardian=accomplice,
        threshold=1,
        owners=owners,
        guardians=[],
    )
    send_as(ledger, account, adding)
    wanted = recovery.Recovery(
        module=MODULE, account=account, new_owners=[thief], new_threshold=1
    )
    send_as(ledger, accomplice, recovery.confirm_recovery_call(wanted, execute=True))


@pytest.mark.thorough
def test_a_recovery_that_nobody_asked_for_is_noticed_by_everybody_and_cancelled(
    visitor: Visitor, welcome: Welcome, ledger: Ledger, stack: Stack
):
    survey, page = Survey(), visitor.page
    visitor.open_wallet()
    visitor.visit("recovery/warned/")
    page.get_by_label("Name", exact=True).fill("Anna")
    page.get_by_label("E-mail address").fill(CONTACT)
    before = len(stack.logs())
    visitor.press("Ask them")
    visitor.sees("Has yet to agree")
    survey.look_at("alert-contacts", page)
    friend = welcome()
    friend.go(printed(stack, LINK, before))
    survey.look_at("alert-link", friend.page)
    friend.press("Yes, warn me")
    friend.sees("You will be warned")

    thief = to_address(new_recipient())
    before = len(stack.logs())
    take_over(ledger, to_address(visitor.account), thief)
    began = time.monotonic()
    visitor.go("/passkeys/")
    visitor.reloads_until("has begun")
    printed(stack, re.compile(rf"To: {CONTACT}"), before)
    assert time.monotonic() - began < ALARM_SECONDS

    banner = page.locator("[id^=recovery-alarm-]")
    expect(banner).to_contain_text(checksum_address(thief))
    survey.look_at("recovery-banner", page)
    banner.get_by_role("link", name="Cancel recovery").click()
    visitor.sees("Who would own the account")
    visitor.sees("Nobody that this site knows")
    page.get_by_text("Cancel it without this site").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Keep this as a file").click()
    kit = download.value.path().read_text()
    assert f"to:    {checksum_address(MODULE)}" in kit
    survey.look_at("recovery-begun", page)
    assert (survey.barriers, survey.sideways) == ([], [])

    visitor.press("Cancel recovery")
    visitor.authorize_button.click()
    visitor.wait_until_included()
    visitor.visit("recovery/")
    visitor.reloads_until("Earlier recoveries")
    expect(page.locator("[id^=recovery-alarm-]")).to_have_count(0)
    assert ledger.owners(visitor.account) != [checksum_address(thief)]
    for person in (visitor, friend):
        assert person.noticed["violation"] == person.noticed["console"] == []
