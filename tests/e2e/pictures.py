"""Take a picture of every page, light and dark, phone and desktop.

    python -m tests.e2e.pictures ORIGIN FOLDER

ORIGIN is a running local Latchkey (`make run` says which). A new wallet is made there.
"""

from __future__ import annotations

import argparse
from itertools import chain, product
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e.tour import account_pages, signed_out_pages
from tests.e2e.visitor import Visitor

CHROMIUM = "/usr/bin/chromium"
WIDTHS = {390: 844, 1280: 800}  # pixels, with their heights
SCHEMES = ("light", "dark")


def take(page: Page, folder: Path, name: str) -> None:
    """Save the open page in all four ways; fixed bars stay where they are."""
    for (width, height), scheme in product(WIDTHS.items(), SCHEMES):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.screenshot(
            path=folder / f"{name}-{width}-{scheme}.png",
            full_page=True,
            animations="disabled",
        )


def main() -> None:
    """Walk through the site and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("origin")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        context = browser.new_context(device_scale_factor=2)
        visitor = Visitor(context, arguments.origin.rstrip("/"))
        for name in chain(signed_out_pages(visitor), account_pages(visitor)):
            take(visitor.page, arguments.folder, name)
        browser.close()


if __name__ == "__main__":
    main()
