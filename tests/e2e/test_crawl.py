"""Every page, light and dark, on a phone and a desktop: usable, private, and quiet."""

from __future__ import annotations

from itertools import chain

import pytest
from playwright.sync_api import Browser

from tests.conftest import Stack
from tests.e2e.console import console_pages
from tests.e2e.deploying_yourself import deploy_yourself_pages
from tests.e2e.ledger import Ledger
from tests.e2e.survey import Survey
from tests.e2e.tour import account_pages, signed_out_pages
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def survey(browser: Browser, stack: Stack, ledger: Ledger, enrolled: Visitor) -> Survey:
    """A whole tour, looked at page by page."""
    survey = Survey()
    context = browser.new_context()
    visitor = Visitor(context, stack.origin)
    own_pages = account_pages(visitor, ledger)
    survey.follow(visitor, chain(signed_out_pages(visitor), own_pages))
    context.close()
    context = browser.new_context()
    stuck = Visitor(context, stack.origin)
    survey.follow(stuck, deploy_yourself_pages(stuck, ledger, stack))
    context.close()
    enrolled.reset()
    survey.follow(enrolled, console_pages(enrolled))
    return survey


def test_the_tour_opens_every_page(survey: Survey) -> None:
    assert len(survey.names) == len(set(survey.names)) == 75


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
