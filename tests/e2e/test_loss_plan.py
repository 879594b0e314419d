"""What losing something would mean, read and ticked in a browser (product.md K-13)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Welcome
from tests.e2e.survey import Survey
from tests.e2e.test_keyboard import tab_to
from tests.e2e.visitor import PATIENCE, Visitor


@pytest.fixture
def alice(welcome: Welcome) -> Iterator[Visitor]:
    found = welcome()
    found.open_wallet()
    yield found
    for kind in ("violation", "elsewhere", "console"):
        assert found.noticed[kind] == []


@pytest.mark.thorough
def test_what_is_ticked_with_the_keyboard_is_answered_at_once_and_said_aloud(
    alice: Visitor,
) -> None:
    survey, page = Survey(), alice.page
    alice.visit()
    page.get_by_role("link", name="What if something is lost or stolen").click()
    alice.sees("Each thing alone")
    survey.look_at("loss-plan", page)
    shown = page.url

    tab_to(alice, "Fine")
    page.keyboard.press("ArrowDown")
    verdict = "You cannot send. Nobody can bring it back."
    alice.sees(verdict)
    expect(page.get_by_label("Lost").first).to_be_focused(timeout=PATIENCE)
    assert page.url == shown  # nothing was opened
    assert any(words.startswith(verdict) for words in alice.noticed["announced"])
    survey.look_at("loss-plan-lost", page)
    page.get_by_role("radiogroup", name="This site").get_by_label("Stolen").check()
    alice.sees("Nobody should use a passkey there any more.")
    survey.look_at("loss-plan-stolen", page)

    page.get_by_role("button", name="Show").click()  # as without scripts
    page.wait_for_url("**/recovery/plan/?*")
    alice.sees("Nobody should use a passkey there any more.")
    page.get_by_role("link", name="See each thing alone").click()
    alice.sees("Each thing alone")
    assert (survey.barriers, survey.sideways) == ([], [])
