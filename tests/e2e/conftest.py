"""Visitors of the whole stack; all tests here share it, each brings its own people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.conftest import Stack
from tests.e2e.ledger import Ledger
from tests.e2e.visitor import Visitor

HERE = Path(__file__).parent
# The browser plugin's own fixtures, under the newest pytest.
PLUGIN_WARNING = "ignore:Session-scoped fixtures defined as instance"

Welcome = Callable[..., Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder drives a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.filterwarnings(PLUGIN_WARNING))


@pytest.fixture(scope="session")
def ledger(stack: Stack) -> Ledger:
    """The stack's chain, asked directly."""
    return Ledger(stack.node_url)


@pytest.fixture
def welcome(browser: Browser, stack: Stack) -> Iterator[Welcome]:
    """Let people in, each with a browser profile and a device of their own."""
    contexts = []

    def let_in(*, origin: str = stack.origin, **options: Any) -> Visitor:
        contexts.append(browser.new_context(**options))
        return Visitor(contexts[-1], origin)

    yield let_in
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(welcome: Welcome) -> Visitor:
    """Somebody who is here for the first time."""
    return welcome()


@pytest.fixture(scope="session")
def settled(browser: Browser, stack: Stack) -> Iterator[Visitor]:
    """Somebody with a live account and 1 test ETH."""
    context = browser.new_context()
    visitor = Visitor(context, stack.origin)
    visitor.open_wallet()
    yield visitor
    context.close()


@pytest.fixture
def resident(settled: Visitor) -> Visitor:
    """The one person whom tests share that spend little and assert on no balance."""
    settled.reset()
    return settled
