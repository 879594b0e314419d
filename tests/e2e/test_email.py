"""R61, R62: an address for alerts, from the passkeys page to the link in its mail."""

from __future__ import annotations

import re
import time

from playwright.sync_api import expect

from tests.conftest import Stack
from tests.e2e.conftest import Welcome
from tests.e2e.visitor import PATIENCE, Visitor

ADDRESS = "somebody@example.org"
LINK = re.compile(r"http://localhost:\d+/email/verify#([\w-]{43})")


def link_in_mail(stack: Stack, since: int) -> str:
    """Wait for the worker to print a mail from there on; return the link in it."""
    deadline = time.monotonic() + PATIENCE / 1_000
    while (found := LINK.search(stack.logs(), since)) is None:
        assert time.monotonic() < deadline, "no mail was printed"
        time.sleep(0.1)
    return found[0]


def test_a_link_is_confirmed_on_another_device_and_its_token_stays_in_the_browser(
    visitor: Visitor, welcome: Welcome, stack: Stack
):
    visitor.create_wallet()
    visitor.go("/passkeys/")
    section = visitor.page.locator("#email-alerts")

    section.get_by_label("E-mail address").fill("me@localhost")
    visitor.press("Add the address")
    expect(section.locator("#error-summary")).to_be_focused()
    expect(visitor.page.get_by_role("heading", name="Security events")).to_be_visible()
    section.get_by_label("E-mail address").fill(ADDRESS)
    before = len(stack.logs())  # others who share the stack were mailed, too
    visitor.press("Add the address")
    visitor.sees("Waiting for the link")

    link = link_in_mail(stack, before)
    other = welcome()
    other.passkeys.bring(visitor.passkeys.all())
    requested: list[str] = []
    other.context.on("request", lambda request: requested.append(request.url))
    other.go(link)
    other.press("Sign in with passkey")
    other.press("Confirm the address")
    other.sees("Alerts go to this address from now on.")

    visitor.go(link)
    visitor.press("Confirm the address")
    visitor.sees("This link does not work")

    token = LINK.fullmatch(link)[1]
    assert not [url for url in requested if token in url.partition("#")[0]]
    lines = [line for line in stack.logs().splitlines() if token in line]
    assert [line.split()[-1] for line in lines] == [link]  # the worker prints the mail
    for person in (visitor, other):
        assert person.noticed["violation"] == person.noticed["console"] == []
