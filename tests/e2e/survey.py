"""What axe, the width and the browser say of the pages that visitors open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from playwright.sync_api import Page

from tests.e2e.visitor import Visitor

AXE = settings.BASE_DIR / "devchain" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {390: 844, 1280: 800}  # pixels, with their heights
NARROWEST = 320  # pixels; 1280 at 400 % zoom
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
            self.look_at(name, visitor.page)
        for kind, found in visitor.noticed.items():
            self.noticed[kind] += found

    def look_at(self, name: str, page: Page) -> None:
        page.wait_for_load_state()
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
