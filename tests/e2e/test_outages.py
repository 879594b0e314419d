"""Bundler or node away: said in words, nothing lost, nothing sent twice (R43 to R47).

The stack here has its chain and its bundler outside its supervisor, which would
otherwise end everything with them. No other test uses them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, expect

from onchain.templatetags.display import eth
from tests.conftest import Stack, start_stack, wait_for_words
from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.outages import Part, eventually, silent_components
from tests.e2e.visitor import PATIENCE, Visitor
from wallet_site import chain_state, programs
from wallet_site.processes import Program

TRYING = "The network or the bundler does not answer. Trying again."


@dataclass(frozen=True, slots=True, kw_only=True)
class FragileStack:
    """A whole stack whose node and bundler can be taken away."""

    node: Part
    bundler: Part
    stack: Stack
    ledger: Ledger

    def complains_of(self, *components: str) -> bool:
        """Whether /health/ names exactly these."""
        return silent_components(self.stack.origin) == set(components)


def outside_node(folder: Path, port: int) -> Part:
    """An anvil that goes on from where it was stopped."""
    state = folder / "state.json"
    shutil.copyfile(chain_state.base_state(report=lambda _line: None), state)
    node = chain_state.connect(url=f"http://127.0.0.1:{port}")
    program = Program(
        name="chain",
        argv=chain_state.anvil_argv(port=port, state=state, load=state),
        answers=partial(chain_state.answers, node),
    )
    return Part(program, settings.BASE_DIR)


def outside_bundler(port: int, node_url: str) -> Part:
    """An alto, whose only memory is its process."""
    program = Program(
        name="bundler",
        argv=programs.bundler_argv(port=port, node_url=node_url),
        answers=partial(programs.bundler_answers, f"http://127.0.0.1:{port}"),
    )
    return Part(program, settings.BASE_DIR)


@pytest.fixture(scope="module")
def fragile(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[FragileStack]:
    folder = tmp_path_factory.mktemp("fragile")
    node_port, bundler_port = chain_state.free_port(), chain_state.free_port()
    urls = {
        "NODE_URL": f"http://127.0.0.1:{node_port}",
        "BUNDLER_URL": f"http://127.0.0.1:{bundler_port}",
    }
    node = outside_node(folder, node_port)
    bundler = outside_bundler(bundler_port, urls["NODE_URL"])
    node.start()
    stack = start_stack(folder, database=migrated, **urls)
    try:
        bundler.start()
        wait_for_words(stack, "Latchkey answers at")
        yield FragileStack(
            node=node, bundler=bundler, stack=stack, ledger=Ledger(urls["NODE_URL"])
        )
    finally:
        stack.stop()
        bundler.kill()
        node.stop()


@pytest.fixture(scope="module")
def visitor(browser: Browser, fragile: FragileStack) -> Iterator[Visitor]:
    """Somebody with a live account and 1 test ETH on the fragile stack."""
    context = browser.new_context()
    visitor = Visitor(context, fragile.stack.origin)
    visitor.open_wallet()
    eventually(fragile.complains_of, "everything is well")
    yield visitor
    context.close()


@pytest.mark.thorough
def test_a_payment_waits_for_a_killed_bundler_and_is_made_once(
    fragile: FragileStack, visitor: Visitor
) -> None:
    recipient, ledger = new_recipient(), fragile.ledger
    before = len(ledger.operations(visitor.account))
    visitor.review(recipient, "0.1")
    fragile.bundler.kill()
    visitor.authorize_button.click()
    visitor.sees(TRYING)
    eventually(partial(fragile.complains_of, "bundler"), "/health/ names the bundler")
    assert ledger.balance_wei(recipient) == 0

    fragile.bundler.start()
    visitor.wait_until_confirmed()

    eventually(fragile.complains_of, "/health/ is well again")
    assert ledger.balance_wei(recipient) == ETH // 10
    assert len(ledger.operations(visitor.account)) == before + 1


@pytest.mark.thorough
def test_pages_answer_from_rows_while_the_node_is_away(
    fragile: FragileStack, visitor: Visitor
) -> None:
    page, recipient = visitor.page, new_recipient()
    balance = eth(fragile.ledger.balance_wei(visitor.account))
    fragile.node.stop()
    visitor.visit()
    visitor.wait_for_balance(balance)
    visitor.fill_payment(recipient, "0.1")
    visitor.press("Review")
    visitor.sees(TRYING)
    eventually(lambda: "node" in silent_components(visitor.origin), "/health/ turns")
    visitor.visit()
    visitor.sees("The chain's node does not answer.")

    fragile.node.start()
    eventually(fragile.complains_of, "/health/ is well again")

    visitor.visit()
    assert page.get_by_text("does not answer").locator("visible=true").count() == 0
    page.get_by_role("listitem").filter(has_text=recipient[-4:]).click()
    expect(visitor.authorize_button).to_be_visible(timeout=PATIENCE)
    visitor.authorize_button.click()
    visitor.wait_until_included()
    assert fragile.ledger.balance_wei(recipient) == ETH // 10


def let_time_pass(ledger: Ledger, seconds: int) -> None:
    """Move the chain's clock, and confirm what it says."""
    ledger.call("evm_increaseTime", seconds)
    for _block in range(3):
        ledger.call("evm_mine")


@pytest.mark.thorough
def test_a_review_that_expired_is_never_sent_and_can_be_prepared_again(
    fragile: FragileStack, visitor: Visitor
) -> None:
    recipient, ledger = new_recipient(), fragile.ledger
    visitor.review(recipient, "0.1")
    expired = visitor.page.url
    before = len(ledger.operations(visitor.account))
    let_time_pass(ledger, 3600)

    visitor.authorize_button.click()
    visitor.sees(re.compile("expired"))
    visitor.go(expired)
    visitor.sees("It expired")
    visitor.press("Prepare again")
    expect(visitor.authorize_button).to_be_visible(timeout=PATIENCE)
    visitor.authorize_button.click()
    visitor.wait_until_included()

    assert visitor.page.url != expired
    assert ledger.balance_wei(recipient) == ETH // 10
    assert len(ledger.operations(visitor.account)) == before + 1


@pytest.mark.thorough
def test_a_proposal_of_two_that_expired_asks_for_every_approval_again(
    fragile: FragileStack, visitor: Visitor
) -> None:
    recipient, ledger = new_recipient(), fragile.ledger
    ledger.add_stranger(visitor.account, threshold=2)
    visitor.visit("owners/")
    visitor.reloads_until("2 of 2 must approve")
    visitor.review(recipient, "0.1")
    expired = visitor.page.url
    visitor.authorize_button.click()
    visitor.sees("1 of 2 approved")
    let_time_pass(ledger, 2 * 86_400)

    visitor.go(expired)
    visitor.reloads_until("It expired")
    visitor.sees("Approvals must be given again.")
    visitor.press("Prepare again")
    expect(visitor.authorize_button).to_be_visible(timeout=PATIENCE)
    visitor.sees("0 of 2 approved")

    assert visitor.page.url != expired
    assert ledger.balance_wei(recipient) == 0
