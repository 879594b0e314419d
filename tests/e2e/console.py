"""The operators' console as its visitors use it."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import expect

from tests.e2e.visitor import PATIENCE, Visitor


def enrol(visitor: Visitor, link: str) -> None:
    """Open an enrolment link and make the operator's passkey."""
    visitor.go(link)
    visitor.press("Create passkey")
    wait_for_console(visitor)


def wait_for_console(visitor: Visitor) -> None:
    """Return once the console's first page is open."""
    expect(visitor.page.locator("#content-main")).to_be_visible(timeout=PATIENCE)


def list_addresses(visitor: Visitor) -> list[str]:
    """Return the address of each list that the console's first page links to."""
    visitor.go("/admin/")
    links = visitor.page.locator("#content-main th[scope=row] a")
    found: list[str] = links.evaluate_all("(links) => links.map(({ href }) => href)")
    return found


def console_pages(visitor: Visitor) -> Iterator[str]:
    """Open the console's pages; yield the name of each once it is there."""
    page = visitor.page
    visitor.go("/admin/")
    yield "console"
    lists = ("safe", "useroperation", "heartbeat", "journalentry", "chain", "budget")
    for model in lists:
        visitor.go(f"/admin/onchain/{model}/")
        yield f"console-{model}-list"
    for model in ("safe", "useroperation"):
        visitor.go(f"/admin/onchain/{model}/")
        page.locator("#result_list tbody a").first.click()
        expect(page.locator("#content h1")).to_be_visible(timeout=PATIENCE)
        yield f"console-{model}"
    visitor.go("/admin/accounts/user/?q=nobody+of+this+name")
    yield "console-nothing-found"
