"""A person at a browser: one context, one tab, one device with passkeys.

The methods do what a person does and wait for the words a person waits for, never for
a time. What the browser noticed meanwhile stands in ``noticed``.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.e2e.virtual_passkeys import VirtualPasskeys

PATIENCE = 60_000  # milliseconds; a busy machine is no failure
# Notes each ceremony, each breach of the content policy, each word said aloud, and
# how far the page has jumped under the reader.
WATCH = """
if (window.isSecureContext && navigator.credentials) {
  for (const kind of ["create", "get"]) {
    const original = navigator.credentials[kind].bind(navigator.credentials);
    navigator.credentials[kind] = (options) => {
      window.notice("ceremony", `${kind} ${options.publicKey.challenge.byteLength}`);
      return original(options);
    };
  }
}
document.addEventListener("securitypolicyviolation", (event) => {
  window.notice("violation", `${event.violatedDirective} ${event.blockedURI}`);
});
document.addEventListener("DOMContentLoaded", () => {
  const announcer = document.getElementById("announcer");
  if (!announcer) return;
  new MutationObserver(() => window.notice("announced", announcer.textContent.trim()))
    .observe(announcer, { childList: true, characterData: true, subtree: true });
});
window.jumped = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) window.jumped += entry.value;
  }
}).observe({ type: "layout-shift", buffered: true });
"""
# A virtual finger touches at once whatever waits behind a field for autofill, so people
# here have browsers without autofill, unless a test is about it.
NO_AUTOFILL = """
if (window.PublicKeyCredential) {
  PublicKeyCredential.isConditionalMediationAvailable = async () => false;
}
"""
STEPS = ["Prepared", "Reviewed", "Signed", "Sent", "Included", "Confirmed"]


class Visitor:
    """Somebody who uses the site."""

    def __init__(
        self, context: BrowserContext, origin: str, *, has_autofill: bool = False
    ) -> None:
        self.context = context
        self.origin = origin
        self.account = ""  # the address of their account, once there is one
        self.noticed: dict[str, list[str]] = defaultdict(list)
        context.set_default_timeout(PATIENCE)
        context.expose_function("notice", self._notice)
        context.add_init_script(WATCH)
        if not has_autofill:
            context.add_init_script(NO_AUTOFILL)
        context.on("request", lambda request: self._notice_request(request.url))
        context.on("console", self._notice_console)
        context.on("weberror", lambda error: self._notice("console", str(error.error)))
        self.page, self.passkeys = self.open_tab()

    def open_tab(self) -> tuple[Page, VirtualPasskeys]:
        """Open another tab, whose device holds no passkey yet."""
        page = self.context.new_page()
        return page, VirtualPasskeys(page)

    def _notice(self, kind: str, words: str) -> None:
        self.noticed[kind].append(words)

    def _notice_request(self, url: str) -> None:
        if urlsplit(url).scheme not in {"data", "blob"} and not url.startswith(
            f"{self.origin}/"
        ):
            self._notice("elsewhere", url)

    def _notice_console(self, message: ConsoleMessage) -> None:
        # A page of an error is an answer with its status, which Chromium reports too.
        if message.type == "error" and "the server responded with" not in message.text:
            self._notice("console", message.text)

    @property
    def ceremonies(self) -> list[str]:
        """What passkeys were asked for so far: ``create 64``, ``get 64``, ``get 32``."""
        return self.noticed["ceremony"]

    # --- Getting in ------------------------------------------------------------------

    def go(self, path: str = "/") -> None:
        """Open a page of the site, by its path or whole address."""
        self.page.goto(path if path.startswith("http") else f"{self.origin}{path}")

    def press(self, name: str) -> None:
        """Press the button with this name, once the page has its scripts."""
        button = self.page.get_by_role("button", name=name, exact=True)
        button.wait_for()
        self.page.wait_for_load_state()
        button.click()

    def reset(self) -> None:
        """Be the same person again after a test: willing, and with nothing noticed."""
        self.passkeys.refuse_to_verify(False)
        self.noticed.clear()

    def sees(self, words: str | re.Pattern[str]) -> None:
        """Wait until the words are there to be read."""
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=PATIENCE)

    def reloads_until(self, words: str) -> None:
        """Look at the open page again until the words are there to be read."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.page.get_by_text(words).first.is_visible():
            assert time.monotonic() < deadline, f"the page never says {words!r}"
            self.page.wait_for_timeout(200)
            self.page.reload()

    def create_wallet(self) -> None:
        """Create a wallet from the front page; its account's page is open then."""
        self.go()
        self.press("Create a wallet")
        self.arrive()

    def sign_in(self) -> None:
        """Sign in from the front page with the passkey this device holds."""
        self.go()
        self.press("Sign in with passkey")
        self.arrive()

    def arrive(self) -> None:
        """Wait for the page of one's account and remember whose it is."""
        self.page.wait_for_url(re.compile(r"/safes/31337/0x[0-9a-fA-F]{40}/$"))
        self.account = self.page.url.split("/")[-2]

    # --- The account -----------------------------------------------------------------

    def visit(self, place: str = "") -> None:
        """Open a page of one's account: ``send/``, ``receive/``, ... or its home."""
        self.go(f"/safes/31337/{self.account}/{place}")

    def wait_until_live(self) -> None:
        """Stay on the account's page until the chain has it."""
        live = self.page.get_by_role("main").get_by_text("Live", exact=True)
        expect(live).to_be_visible(timeout=PATIENCE)

    def wait_for_balance(self, words: str) -> None:
        """Stay on the account's page until it shows this balance."""
        balance = self.page.get_by_text("Balance", exact=True).locator("+ p")
        expect(balance).to_have_text(words, timeout=PATIENCE)

    def open_wallet(self) -> None:
        """Create a wallet with 1 test ETH, live."""
        self.create_wallet()
        self.wait_until_live()
        self.press("Get test ETH")
        self.wait_for_balance("1 ETH")

    # --- A payment -------------------------------------------------------------------

    def fill_payment(self, recipient: str, amount: str) -> None:
        """Open the form of a payment and fill it in."""
        self.visit("send/")
        self.page.get_by_label("Recipient").fill(recipient)
        self.page.get_by_label("Amount").fill(amount)

    def review(self, recipient: str, amount: str) -> None:
        """Ask for a payment and wait until its review is open."""
        self.fill_payment(recipient, amount)
        self.press("Review")
        expect(self.authorize_button).to_be_visible(timeout=PATIENCE)

    @property
    def authorize_button(self) -> Locator:
        """The one button that moves money, on a page that has its scripts."""
        self.page.wait_for_load_state()
        return self.page.get_by_role("button", name="Authorize with passkey")

    def signed_text(self, name: str) -> str:
        """Return what the open review shows for a field that is signed."""
        return self.page.locator(f"[data-signed={name}]").inner_text().strip()

    def step(self, name: str) -> Locator:
        """One of the six steps of the open payment."""
        return self.page.locator("article ol > li").filter(has_text=name)

    def wait_until_confirmed(self) -> None:
        """Stay on the payment's page until it is confirmed."""
        expect(self.step("Confirmed")).to_contain_text("done", timeout=PATIENCE)

    def wait_until_included(self) -> None:
        """Stay on the payment's page until it stands in a block."""
        expect(self.step("Included")).to_contain_text("done", timeout=PATIENCE)

    def pay(self, recipient: str, amount: str) -> None:
        """Make a payment and wait until it stands in a block."""
        self.review(recipient, amount)
        self.authorize_button.click()
        self.wait_until_included()

    def stored(self) -> Any:
        """Return everything this site keeps in the browser, cookies aside."""
        return self.page.evaluate(
            """async () => ({
              local: Object.keys(localStorage),
              session: Object.keys(sessionStorage),
              databases: (await indexedDB.databases()).map(({ name }) => name),
              caches: await caches.keys(),
              workers: (await navigator.serviceWorker.getRegistrations()).length,
            })"""
        )
