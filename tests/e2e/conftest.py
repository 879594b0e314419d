"""Visitors of the whole stack; all tests here share it, each brings its own people."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser

from tests.conftest import Stack
from tests.e2e.console import enrol
from tests.e2e.ledger import Ledger
from tests.e2e.visitor import Visitor

HERE = Path(__file__).parent
LINES = 60  # of the log, shown where a test fails
# The browser plugin's own fixtures, under the newest pytest.
PLUGIN_WARNING = "ignore:Session-scoped fixtures defined as instance"

Welcome = Callable[..., Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder drives a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.filterwarnings(PLUGIN_WARNING))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the site said last beside a test that failed."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(stack, Stack):
        lines = stack.logs().splitlines()
        told = [line for line in lines if "request_finished" not in line]
        report.sections.append(("What the site said last", "\n".join(told[-LINES:])))
    return report


@pytest.fixture(scope="session")
def ledger(stack: Stack) -> Ledger:
    """The stack's chain, asked directly."""
    return Ledger(stack.node_url)


@pytest.fixture
def welcome(browser: Browser, stack: Stack) -> Iterator[Welcome]:
    """Let people in, each with a browser profile and a device of their own."""
    contexts = []

    def let_in(
        *, origin: str = stack.origin, has_autofill: bool = False, **options: Any
    ) -> Visitor:
        contexts.append(browser.new_context(**options))
        return Visitor(contexts[-1], origin, has_autofill=has_autofill)

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


def create_operator(stack: Stack, name: str, *options: str) -> str:
    """Return the link that the command prints, or what it complains about."""
    ended = subprocess.run(
        [sys.executable, "manage.py", "create_operator", name, *options],
        cwd=settings.BASE_DIR,
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return (ended.stdout if ended.returncode == 0 else ended.stderr).strip()


@pytest.fixture(scope="session")
def enrolled(browser: Browser, stack: Stack) -> Iterator[Visitor]:
    """Somebody who was given a printed link and made an operator's passkey."""
    context = browser.new_context()
    visitor = Visitor(context, stack.origin)
    enrol(visitor, create_operator(stack, f"Kim Example {os.getpid()}"))
    yield visitor
    context.close()


@pytest.fixture
def operator(enrolled: Visitor) -> Visitor:
    """The one operator whom tests share."""
    enrolled.reset()
    return enrolled
