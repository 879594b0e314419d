"""Two people approve in any order, withdraw, and cancel for certain (R64 to R67)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.survey import Survey
from tests.e2e.test_shared_accounts import (
    approve,
    link_on,
    open_link,
    people,
)
from tests.e2e.visitor import PATIENCE, Visitor

__all__ = ["people"]


def form_account(alice: Visitor, bob: Visitor) -> None:
    """Let both own one account with 1 ETH, for which both must approve."""
    alice.go("/accounts/shared/")
    alice.page.get_by_label("Name").fill("Household")
    alice.page.get_by_label("People").fill("Bob")
    alice.press("Begin this account")
    alice.page.get_by_role("button", name="Make the link for Bob").click()
    open_link(bob, link_on(alice))
    bob.press("Accept")
    bob.page.get_by_role("link", name="See the list").click()
    alice.page.get_by_role("link", name="Back to Household").click()
    for visitor in (bob, alice):
        visitor.press("Confirm this list")
    alice.sees("Everybody confirmed it")
    alice.page.get_by_role("link", name="Open Household").click()
    alice.arrive()
    alice.wait_until_live()
    alice.press("Get test ETH")
    alice.wait_for_balance("1 ETH")


def propose(visitor: Visitor, recipient: str, amount: str) -> str:
    """Ask for a payment for a day; return the address of its review."""
    visitor.review(recipient, amount)
    visitor.sees("0 of 2 approved")
    return visitor.page.url


def removed_owner_no_longer_counts(
    alice: Visitor, bob: Visitor, ledger: Ledger, survey: Survey
) -> None:
    """Let Bob approve, lose his place on chain, and Alice approve after that (R67)."""
    recipient = new_recipient()
    waiting = propose(alice, recipient, "0.25")
    approve(bob, waiting)
    bob.sees("You approved this payment.")
    ledger.replace_second_owner(alice.account)
    alice.go(waiting)
    alice.reloads_until("this approval no longer counts")
    alice.sees("0 of 2 approved")
    alice.authorize_button.click()

    alice.sees("1 of 2 approved")
    alice.sees("You approved this payment.")
    survey.look_at("review-removed-owner", alice.page)
    alice.visit("activity/waiting/")
    alice.sees("An approval of a removed owner no longer counts.")
    survey.look_at("queue-removed-owner", alice.page)
    assert ledger.balance_wei(recipient) == 0


@pytest.mark.thorough
def test_two_people_approve_in_any_order_and_cancel_for_certain(
    people: tuple[Visitor, Visitor],
    ledger: Ledger,
) -> None:
    alice, bob = people
    survey = Survey()
    form_account(alice, bob)
    kept, called_off = new_recipient(), new_recipient()
    first = propose(alice, called_off, "0.125")
    second = propose(alice, kept, "0.25")

    # Two at once; the later one is approved first, by the other one first.
    approve(alice, first)
    alice.sees("You approved this payment.")
    survey.look_at("review-approved-by-me", alice.page)
    approve(bob, second)
    bob.sees("You approved this payment.")
    alice.visit()
    alice.sees("Waits for approval")
    survey.look_at("home-waiting", alice.page)
    alice.page.get_by_role("link", name="See all").first.click()
    alice.sees("Waits for others")
    survey.look_at("queue", alice.page)
    alice.page.get_by_role("link", name=re.compile("^Approve")).click()
    alice.sees("1 of 2 approved")
    survey.look_at("review-approved-by-another", alice.page)
    alice.authorize_button.click()
    alice.wait_until_included()
    assert ledger.balance_wei(kept) == ETH // 4

    alice.go(first)
    alice.press("Remind who is missing")
    alice.sees("Reminded 1 person.")
    alice.press("Withdraw this payment")
    alice.sees("Withdrawn here, and only here")
    survey.look_at("withdrawn-signed", alice.page)
    alice.press("Cancel for certain")
    expect(alice.authorize_button).to_be_visible(timeout=PATIENCE)
    survey.look_at("review-cancel", alice.page)
    cancelling = alice.page.url
    alice.authorize_button.click()
    approve(bob, cancelling)
    bob.sees("Cancelled for certain")
    bob.wait_until_included()

    alice.go(first)
    alice.sees("This one can never be carried out.")
    assert ledger.balance_wei(called_off) == 0

    removed_owner_no_longer_counts(alice, bob, ledger, survey)
    assert (survey.barriers, survey.sideways) == ([], [])
