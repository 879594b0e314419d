"""An owner rehearses a recovery: a passkey and a wallet answer, and it would do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from onchain.protocol.types import to_address
from tests.e2e.conftest import Welcome
from tests.e2e.injected_wallet import InjectedWallet
from tests.e2e.ledger import Ledger, new_recipient
from tests.e2e.survey import Survey
from tests.e2e.test_recovery import protect, signer_of
from tests.e2e.visitor import PATIENCE, Visitor

SENTENCE = "This is a rehearsal. Nothing can happen to the account."


@pytest.fixture
def people(welcome: Welcome) -> Iterator[tuple[Visitor, Visitor, Visitor]]:
    """An owner with a live wallet, and two people who are here for the first time."""
    found = welcome(), welcome(), welcome()
    yield found
    for visitor in found:
        for kind in ("violation", "elsewhere", "console"):
            assert visitor.noticed[kind] == []


def answer(visitor: Visitor, link: str, name: str, survey: Survey) -> None:
    """Follow the link and answer with what this person holds."""
    visitor.go(link)
    visitor.press("See what is asked")
    visitor.sees(SENTENCE)
    survey.look_at(name, visitor.page)
    visitor.press("Answer the rehearsal")
    visitor.sees("You answered")


@pytest.mark.thorough
def test_a_passkey_and_a_wallet_show_that_a_recovery_would_work(
    people: tuple[Visitor, Visitor, Visitor], ledger: Ledger
) -> None:
    owner, friend, holder = people
    survey, wallet = Survey(), InjectedWallet()
    owner.open_wallet()
    friend.create_wallet()
    wallet.inject(holder.context)
    holder.create_wallet()
    guardians = [signer_of(friend), wallet.wallet.address, to_address(new_recipient())]
    protect(ledger, owner.account, guardians)

    owner.visit("recovery/")
    owner.reloads_until("2 of 3 guardians")
    survey.look_at("rehearsal-none", owner.page)
    owner.press("Start a rehearsal")
    owner.sees("0 of 3 have answered, 2 would be enough")
    owner.press("Make a link for guardians elsewhere")
    link = owner.page.locator("[data-guardian-link]").inner_text().strip()
    survey.look_at("rehearsal-link", owner.page)
    owner.page.get_by_role("link", name="Back to the rehearsal").click()
    answer(friend, link, "rehearsal-asked", survey)
    # The owner's page hears of it by itself.
    owner.sees("1 of 3 has answered, 2 would be enough")
    answer(holder, link, "rehearsal-asked-wallet", survey)

    owner.sees(re.compile("2 of 3 have answered.*this recovery would have worked"))
    survey.look_at("rehearsal-running", owner.page)
    (text,) = wallet.texts
    signed = json.loads(text)
    assert signed["primaryType"] == "RecoveryDrill"
    assert signed["message"]["notice"] == SENTENCE
    assert "verifyingContract" not in signed["domain"]
    owner.press("End the rehearsal")
    owner.sees("Last rehearsal:")
    owner.sees("Did not answer")
    survey.look_at("rehearsal-over", owner.page)
    expect(owner.page.get_by_role("button", name="Start a rehearsal")).to_be_visible(
        timeout=PATIENCE
    )
    assert (survey.barriers, survey.sideways) == ([], [])
