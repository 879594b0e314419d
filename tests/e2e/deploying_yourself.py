"""An account that the relayer gave up, put on chain by its owner with another wallet."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from playwright.sync_api import expect

from tests.conftest import Stack
from tests.e2e.ledger import Ledger
from tests.e2e.outages import paused_worker
from tests.e2e.visitor import Visitor

GIVE_UP = """
    UPDATE onchain_safe
    SET status = 'failed', failure_code = 'deployment-reverted'
    WHERE address = ? AND status = 'queued'
"""


def deploy_yourself_pages(
    visitor: Visitor, ledger: Ledger, stack: Stack
) -> Iterator[str]:
    """Open an account that is stuck, send what its page says, and see it live."""
    with paused_worker(stack):
        visitor.create_wallet()
        give_up(stack, visitor.account)
    visitor.visit()
    expect(
        visitor.page.get_by_role("heading", name="Deploy it yourself")
    ).to_be_visible()
    yield "home-deploy-yourself"
    card = visitor.page.locator("section[id^=deploy-yourself-]")
    to, value, data = (
        "".join(
            card.locator("dd").nth(place).locator("span").first.inner_text().split()
        )
        for place in range(3)
    )
    assert value == "0"
    ledger.pay_for(to, data)
    visitor.wait_until_live()
    expect(card).to_be_hidden()


def give_up(stack: Stack, account: str) -> None:
    """Let the relayer have failed at an account too often."""
    database = sqlite3.connect(stack.var_dir / "latchkey.sqlite3", timeout=20)
    with closing(database), database:
        changed = database.execute(GIVE_UP, [bytes.fromhex(account[2:])])
        assert changed.rowcount == 1
