"""Take a picture of every page, light and dark, phone and desktop.

    python -m tests.e2e.pictures ORIGIN FOLDER [--node URL] [--console LINK]

ORIGIN is a running local Latchkey (`make run` says which); a new wallet is made there.
URL is that of its chain, which is asked to make an account past the site.
LINK is what `manage.py create_operator NAME` prints: with it, the console's pages too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.console import console_pages, enrol
from tests.e2e.ledger import Ledger
from tests.e2e.tour import account_pages, signed_out_pages
from tests.e2e.visitor import Visitor

CHROMIUM = "/usr/bin/chromium-headless-shell"
WIDTHS = {390: 844, 1280: 800}  # pixels, with their heights
SCHEMES = ("light", "dark")
WHOLE_HEIGHT = "() => document.documentElement.scrollHeight"


def take(page: Page, folder: Path, name: str) -> None:
    """Save the open page in all four ways, whole: bars stand where the page ends."""
    for (width, height), scheme in product(WIDTHS.items(), SCHEMES):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": height})
        whole = max(height, page.evaluate(WHOLE_HEIGHT))
        page.set_viewport_size({"width": width, "height": whole})
        path = folder / f"{name}-{width}-{scheme}.png"
        page.screenshot(path=path, animations="disabled")


def new_visitor(browser: Browser, origin: str) -> Visitor:
    """Return somebody with a sharp screen."""
    return Visitor(browser.new_context(device_scale_factor=2), origin)


def all_pages(
    browser: Browser, origin: str, ledger: Ledger, link: str | None
) -> Iterator[tuple[Visitor, str]]:
    """Open every page; yield who looks at it and its name."""
    visitor = new_visitor(browser, origin)
    for name in chain(signed_out_pages(visitor), account_pages(visitor, ledger)):
        yield visitor, name
    if link is not None:
        operator = new_visitor(browser, origin)
        enrol(operator, link)
        for name in console_pages(operator):
            yield operator, name


def main() -> None:
    """Walk through the site and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("origin")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--node", metavar="URL", default="http://127.0.0.1:8545")
    parser.add_argument("--console", metavar="LINK")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        origin = arguments.origin.rstrip("/")
        ledger = Ledger(arguments.node)
        for visitor, name in all_pages(browser, origin, ledger, arguments.console):
            take(visitor.page, arguments.folder, name)
        browser.close()


if __name__ == "__main__":
    main()
