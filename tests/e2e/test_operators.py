"""The operators' console, from the printed link to the last list (security.md R26, R62)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.conftest import Stack
from tests.e2e.conftest import Welcome, create_operator
from tests.e2e.console import (
    enrol,
    list_addresses,
    wait_for_console,
)
from tests.e2e.visitor import PATIENCE, Visitor

NAME = "Robin Example"


def test_a_printed_link_makes_one_operator_with_one_touch_and_no_second(
    stack: Stack, welcome: Welcome
) -> None:
    link = create_operator(stack, NAME)
    first, second = welcome(), welcome()
    enrol(first, link)
    assert first.ceremonies == ["create 64"]
    assert first.page.url == f"{stack.origin}/admin/"

    second.go(link)
    second.press("Create passkey")

    said = second.page.locator("[data-passkey-error]:visible")
    expect(said).to_be_visible(timeout=PATIENCE)
    assert second.ceremonies == []
    assert "has a key" in create_operator(stack, NAME)


@pytest.mark.thorough
def test_an_operator_signs_out_and_in_again_with_the_passkey(
    operator: Visitor,
) -> None:
    operator.go("/admin/")
    operator.press("Sign out")
    operator.sees("For operators.")
    assert operator.page.locator("input:visible").count() == 0

    operator.press("Sign in with passkey")

    wait_for_console(operator)
    assert operator.ceremonies == ["get 64"]


@pytest.mark.thorough
def test_every_list_and_a_row_of_it_opens_and_nothing_can_be_changed(
    operator: Visitor, resident: Visitor
) -> None:
    page = operator.page
    typed = page.locator("#content form:not(#changelist-form, #changelist-search)")
    addresses = list_addresses(operator)
    assert len(addresses) >= 12

    for address in addresses:
        operator.go(address)
        expect(page.locator("#changelist")).to_be_visible()
        assert page.locator("a[href$='/add/']").count() == 0
        rows = page.locator("#result_list tbody th a")
        if rows.count():
            rows.first.click()
            expect(page.locator("#content h1")).to_be_visible()
            assert typed.locator("input:visible, textarea, select").count() == 0
            assert page.get_by_role("button", name="Save").count() == 0


@pytest.mark.thorough
def test_an_account_is_found_by_its_address_and_nudged_in_the_journal(
    operator: Visitor, resident: Visitor
) -> None:
    page = operator.page
    operator.go(f"/admin/onchain/safe/?q={resident.account}")
    (row,) = page.locator("input.action-select").all()
    row.check()
    page.locator("select[name=action]").select_option("Nudge again")
    page.locator("button[name=index]").click()
    operator.sees("Nudged: 1.")

    operator.go("/admin/onchain/journalentry/")

    newest = page.locator("#result_list tbody tr").first
    expect(newest).to_contain_text("nudge")


def test_a_person_is_nobody_to_the_console(resident: Visitor) -> None:
    resident.go("/admin/onchain/safe/")

    resident.sees("who is not an operator")
    assert resident.page.locator("#result_list").count() == 0


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/login/", "/admin/password_change/", "/", "/help/"]
)
def test_there_is_no_password_field_for_anybody(
    visitor: Visitor, operator: Visitor, path: str
) -> None:
    for who in (visitor, operator):
        who.go(path)
        assert who.page.locator("input[type=password]").count() == 0
