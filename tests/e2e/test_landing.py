"""The landing page: what it weighs, and what it says without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Welcome
from tests.e2e.visitor import PATIENCE, Visitor

# What the page may weigh on the wire, and unpacked: room for the style to grow.
LANDING_BYTES = 50 * 1024
LANDING_UNPACKED_BYTES = 100 * 1024
NEEDED = re.compile("needs? JavaScript. Turn it on for this site")


def weigh(page: Page, url: str) -> tuple[int, int]:
    """Return what loading with an empty cache costs: with headers, and unpacked."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    sent: list[float] = []
    unpacked: list[int] = []
    devtools.on(
        "Network.loadingFinished",
        lambda event: sent.append(event["encodedDataLength"]),
    )
    devtools.on(
        "Network.dataReceived", lambda event: unpacked.append(event["dataLength"])
    )
    page.goto(url, wait_until="networkidle")
    return int(sum(sent)), sum(unpacked)


def test_the_landing_page_loads_in_under_100_kilobytes(visitor: Visitor) -> None:
    sent, unpacked = weigh(visitor.page, f"{visitor.origin}/")

    assert 10_000 < sent < LANDING_BYTES
    assert 50_000 < unpacked < LANDING_UNPACKED_BYTES


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/admin/enrol"])
def test_without_javascript_a_page_that_asks_for_a_passkey_says_what_is_needed(
    path: str, welcome: Welcome
) -> None:
    visitor = welcome(java_script_enabled=False)

    visitor.go(path)

    # A locator by words would pass over what stands in noscript.
    said = visitor.page.locator("noscript p")
    expect(said).to_be_visible(timeout=PATIENCE)
    expect(said).to_contain_text(NEEDED)
