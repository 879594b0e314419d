"""Every page, light and dark, on a phone and a desktop: usable, private, and quiet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Stack
from tests.e2e.conftest import Welcome
from tests.e2e.console import console_pages
from tests.e2e.ledger import Ledger
from tests.e2e.tour import account_pages, signed_out_pages
from tests.e2e.visitor import PATIENCE, Visitor

AXE = settings.BASE_DIR / "devchain" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {390: 844, 1280: 800}  # pixels, with their heights
NARROWEST = 320  # pixels; 1280 at 400 % zoom
# What the landing page may weigh on the wire, and unpacked: room for the style to grow.
LANDING_BYTES = 50 * 1024
LANDING_UNPACKED_BYTES = 100 * 1024
# All rules in the light; the dark differs in colours only.
RULES: dict[str, dict[str, Any]] = {
    "light": {"rules": {"target-size": {"enabled": True}}},
    "dark": {"runOnly": ["color-contrast", "link-in-text-block"]},
}
# A change of colours may be a transition, which is brought to its end. Preloading would
# make axe itself write inline styles, which the content policy forbids.
LOOK = """async (options) => {
  for (const item of document.getAnimations()) {
    if (item instanceof CSSTransition) item.finish();
  }
  const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false, ...options });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(", ")}`);
}"""
SIDEWAYS = """() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth ? `${scrollWidth} of ${clientWidth} pixels` : "";
}"""


class Survey:
    """What was found on the pages that visitors opened."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.barriers: list[str] = []
        self.sideways: list[str] = []
        self.noticed: dict[str, list[str]] = defaultdict(list)

    def follow(self, visitor: Visitor, pages: Iterator[str]) -> None:
        """Look at each page that the visitor opens, and at what the browser noticed."""
        for name in pages:
            self.names.append(name)
            self._look_at(name, visitor.page)
        for kind, found in visitor.noticed.items():
            self.noticed[kind] += found

    def _look_at(self, name: str, page: Page) -> None:
        page.evaluate(AXE.read_text())
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme, options in RULES.items():
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                found = page.evaluate(LOOK, options)
                self.barriers += [f"{name} {width} {scheme}: {item}" for item in found]
            self._measure(name, page, width)
        page.set_viewport_size({"width": NARROWEST, "height": 800})
        self._measure(name, page, NARROWEST)

    def _measure(self, name: str, page: Page, width: int) -> None:
        if found := page.evaluate(SIDEWAYS):
            self.sideways.append(f"{name} {width}: {found}")


@pytest.fixture(scope="module")
def survey(browser: Browser, stack: Stack, ledger: Ledger, enrolled: Visitor) -> Survey:
    """A whole tour, looked at page by page."""
    survey = Survey()
    context = browser.new_context()
    visitor = Visitor(context, stack.origin)
    own_pages = account_pages(visitor, ledger)
    survey.follow(visitor, chain(signed_out_pages(visitor), own_pages))
    context.close()
    enrolled.reset()
    survey.follow(enrolled, console_pages(enrolled))
    return survey


def test_the_tour_opens_every_page(survey: Survey) -> None:
    assert len(survey.names) == len(set(survey.names)) == 59


def test_axe_finds_no_barrier_on_any_page(survey: Survey) -> None:
    assert "\n".join(survey.barriers) == ""


def test_no_page_scrolls_sideways(survey: Survey) -> None:
    assert "\n".join(survey.sideways) == ""


def test_no_page_breaks_the_content_policy(survey: Survey) -> None:
    """R31"""
    assert survey.noticed["violation"] == []


def test_no_page_asks_another_host_for_anything(survey: Survey) -> None:
    """R27"""
    assert survey.noticed["elsewhere"] == []


def test_no_page_complains_in_the_console(survey: Survey) -> None:
    assert survey.noticed["console"] == []


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
    expect(said).to_contain_text("Passkeys need JavaScript.")
