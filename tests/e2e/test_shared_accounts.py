"""Two people, two browsers, two devices: one account that needs them both (R62, R63)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.conftest import Welcome
from tests.e2e.injected_wallet import InjectedWallet
from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.outages import eventually
from tests.e2e.survey import Survey
from tests.e2e.visitor import PATIENCE, Visitor


@pytest.fixture
def people(welcome: Welcome) -> Iterator[tuple[Visitor, Visitor]]:
    """Alice with a live wallet, and Bob, who is here for the first time."""
    alice, bob = welcome(), welcome()
    alice.open_wallet()
    yield alice, bob
    for visitor in (alice, bob):
        for kind in ("violation", "elsewhere", "console"):
            assert visitor.noticed[kind] == []


def words(visitor: Visitor) -> list[str]:
    """Return the six words on the open page."""
    shown = visitor.page.locator("ol[aria-label*='words'] li")
    expect(shown).to_have_count(6, timeout=PATIENCE)
    return [text.split()[-1] for text in shown.all_inner_texts()]


def link_on(visitor: Visitor) -> str:
    """Return the link that the open page shows once."""
    return visitor.page.locator("[data-invitation-link]").inner_text().strip()


def open_link(bob: Visitor, link: str) -> None:
    """Follow an invitation as somebody new: a passkey, no account, the guest's page."""
    bob.go(link)
    bob.press("Create a passkey")
    bob.page.get_by_role("button", name="Open the invitation").click()
    bob.page.wait_for_url(re.compile(r"/invitations/\d+/$"))


def approve(visitor: Visitor, url: str) -> None:
    """Sign an operation at its review."""
    visitor.go(url)
    expect(visitor.authorize_button).to_be_visible(timeout=PATIENCE)
    visitor.authorize_button.click()


def use_wallet(bob: Visitor) -> InjectedWallet:
    """Give a wallet in the browser instead of the passkey, where one is asked for."""
    wallet = InjectedWallet()
    wallet.inject(bob.context)
    bob.page.reload()
    bob.page.get_by_role("link", name="Use a wallet").click()
    bob.page.wait_for_url("**/wallet/")
    bob.press("Take the address from this wallet")
    field = bob.page.get_by_label("Address", exact=True)
    expect(field).to_have_value(wallet.address_text.lower())
    bob.press("Go on with this address")
    bob.sees("Use another wallet")
    return wallet


def test_two_people_form_an_account_and_both_approve_its_first_payment(
    people: tuple[Visitor, Visitor], ledger: Ledger
) -> None:
    alice, bob = people
    survey = Survey()
    alice.go("/accounts/shared/")
    survey.look_at("account-shared", alice.page)
    alice.page.get_by_label("Name").fill("Household")
    alice.page.get_by_label("People").fill("Bob")
    alice.press("Begin this account")
    alice.sees("Waiting for 1 key")
    survey.look_at("formation-waiting", alice.page)
    alice.page.get_by_role("button", name="Make the link for Bob").click()
    link = link_on(alice)
    survey.look_at("invite-link", alice.page)

    bob.go(link)
    survey.look_at("invitation-link", bob.page)
    open_link(bob, link)
    survey.look_at("invitation-seat", bob.page)
    bob.press("Accept")
    bob.page.get_by_role("link", name="See the list").click()
    alice.page.get_by_role("link", name="Back to Household").click()
    assert words(alice) == words(bob)
    survey.look_at("formation", bob.page)
    for visitor in (bob, alice):
        visitor.press("Confirm this list")
    for visitor in (alice, bob):
        visitor.sees("Everybody confirmed it")
    survey.look_at("formation-created", bob.page)

    alice.page.get_by_role("link", name="Open Household").click()
    alice.arrive()
    alice.wait_until_live()
    alice.press("Get test ETH")
    alice.wait_for_balance("1 ETH")
    recipient = new_recipient()
    alice.review(recipient, "0.25")
    url = alice.page.url
    alice.authorize_button.click()
    approve(bob, url)
    bob.wait_until_included()

    assert ledger.balance_wei(recipient) == ETH // 4
    assert bob.ceremonies == ["create 64", "get 32", "get 32"]
    assert (survey.barriers, survey.sideways) == ([], [])


def test_somebody_is_asked_into_a_living_account_as_an_owner(
    people: tuple[Visitor, Visitor],
) -> None:
    alice, bob = people
    survey = Survey()
    alice.visit("receive/")
    alice.press("Prove this passkey")
    alice.sees("Copy address")
    alice.visit("owners/invite/")
    survey.look_at("invite", alice.page)
    alice.page.get_by_label("Name").fill("Bob")
    alice.page.get_by_label("Co-owner").check()
    alice.press("Make the link")
    link = link_on(alice)
    alice.page.get_by_role("link", name="See whether they accepted").click()
    alice.sees("The invitation of Bob")
    survey.look_at("invited-open", alice.page)

    open_link(bob, link)
    survey.look_at("invitation", bob.page)
    bob.press("Accept")
    read = words(bob)
    survey.look_at("invitation-words", bob.page)
    assert words(alice) == read
    survey.look_at("invited-words", alice.page)
    alice.press("The words are the same")
    bob.sees("You are confirmed")
    alice.page.get_by_label("How many must approve afterwards").select_option("2")
    survey.look_at("invited-confirmed", alice.page)
    alice.press("Review adding Bob")
    expect(alice.authorize_button).to_be_visible(timeout=PATIENCE)
    alice.authorize_button.click()
    alice.wait_until_included()

    bob.sees("You are in")
    bob.go("/")
    survey.look_at("start-of-a-guest", bob.page)
    alice.visit("settings/")
    alice.sees("2 of 2 owners must sign.")
    assert (survey.barriers, survey.sideways) == ([], [])


def test_a_link_cannot_be_opened_before_its_page_can_send_the_token(
    visitor: Visitor,
) -> None:
    held: list[Route] = []

    def is_held() -> bool:
        visitor.page.wait_for_timeout(20)  # lets Playwright hand over the request
        return held != []

    visitor.page.route("**/htmx*.js", lambda route: held.append(route))

    visitor.page.goto(f"{visitor.origin}/invitation#a", wait_until="commit")

    button = visitor.page.get_by_role("button", name="Sign in with passkey")
    expect(button).to_be_disabled(timeout=PATIENCE)
    eventually(is_held, "the page asks for htmx")
    held[0].continue_()
    expect(button).to_be_enabled(timeout=PATIENCE)


@pytest.mark.thorough
def test_a_wallet_takes_a_seat_and_approves_beside_the_makers_passkey(
    people: tuple[Visitor, Visitor], ledger: Ledger
) -> None:
    alice, bob = people
    survey = Survey()
    alice.go("/accounts/shared/")
    alice.page.get_by_label("Name").fill("Household")
    alice.page.get_by_label("People").fill("Bob")
    alice.press("Begin this account")
    alice.page.get_by_role("button", name="Make the link for Bob").click()
    open_link(bob, link_on(alice))
    wallet = use_wallet(bob)
    survey.look_at("invitation-wallet-seat", bob.page)
    bob.press("Accept with this wallet")
    bob.page.get_by_role("link", name="See the list").click()
    alice.page.get_by_role("link", name="Back to Household").click()
    assert words(alice) == words(bob)
    survey.look_at("formation-wallet", bob.page)
    bob.press("Sign with this wallet")
    alice.press("Confirm this list")
    for visitor in (alice, bob):
        visitor.sees("Everybody confirmed it")

    alice.page.get_by_role("link", name="Open Household").click()
    alice.arrive()
    alice.wait_until_live()
    assert ledger.threshold(alice.account) == 2
    assert len(ledger.owners(alice.account)) == 2
    assert wallet.address_text in ledger.owners(alice.account)
    alice.press("Get test ETH")
    alice.wait_for_balance("1 ETH")
    recipient = new_recipient()
    alice.review(recipient, "0.25")
    url = alice.page.url
    bob.go(url)
    survey.look_at("review-wallet", bob.page)
    bob.press("Approve with your wallet")
    bob.sees("1 of 2 approved")
    alice.authorize_button.click()
    for visitor in (alice, bob):
        visitor.wait_until_included()

    assert ledger.balance_wei(recipient) == ETH // 4
    assert bob.ceremonies == ["create 64"]
    assert (survey.barriers, survey.sideways) == ([], [])


@pytest.mark.thorough
def test_an_invitation_is_accepted_with_a_wallet_that_becomes_an_owner(
    people: tuple[Visitor, Visitor], ledger: Ledger
) -> None:
    alice, bob = people
    survey = Survey()
    alice.visit("owners/invite/")
    alice.page.get_by_label("Name").fill("Bob")
    alice.page.get_by_label("Co-owner").check()
    alice.press("Make the link")
    link = link_on(alice)
    alice.page.get_by_role("link", name="See whether they accepted").click()
    open_link(bob, link)
    wallet = use_wallet(bob)
    survey.look_at("invitation-wallet", bob.page)
    bob.press("Sign with this wallet")
    read = words(bob)
    survey.look_at("invitation-wallet-words", bob.page)
    assert words(alice) == read
    alice.press("The words are the same")
    bob.sees("You are confirmed")
    alice.press("Review adding Bob")
    expect(alice.authorize_button).to_be_visible(timeout=PATIENCE)
    alice.authorize_button.click()
    bob.sees("You are in")

    owners = ledger.owners(alice.account)
    assert (len(owners), ledger.threshold(alice.account)) == (2, 1)
    assert wallet.address_text in owners
    bob.page.get_by_role("link", name="Open Account").click()
    bob.arrive()
    recipient = new_recipient()
    bob.fill_payment(recipient, "0.25")
    bob.press("Review")
    bob.press("Approve with your wallet")
    bob.wait_until_included()
    assert ledger.balance_wei(recipient) == ETH // 4
    assert bob.ceremonies == ["create 64"]
    assert (survey.barriers, survey.sideways) == ([], [])
