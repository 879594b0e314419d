"""Every page of the site, each brought about the way a person brings it about.

The crawl looks at them one after the other, and the pictures are taken of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from playwright.sync_api import expect

from onchain.protocol.deployments import SIGNER_FACTORY
from onchain.protocol.types import checksum_address
from tests.e2e.further_accounts import further_account_pages
from tests.e2e.ledger import Ledger, new_recipient
from tests.e2e.virtual_passkeys import VirtualPasskeys
from tests.e2e.visitor import PATIENCE, Visitor

REFUSES_ETH = checksum_address(SIGNER_FACTORY)  # a contract that cannot be paid
BAD_CHECKSUM = "0x7E5F4552091a69125d5dfcb7b8c2659029395bdf"
# Posts the front page's form as a browser without our scripts would.
SUBMIT_BARE = "() => document.forms[0].submit()"


def signed_out_pages(visitor: Visitor) -> Iterator[str]:
    """Open each page that needs no account; yield its name once it is there."""
    visitor.go()
    yield "landing"
    visitor.go("/help/")
    yield "help"
    visitor.go("/no/such/page/")
    yield "404"
    visitor.go("/health/")
    yield "health"
    visitor.go("/admin/")
    visitor.sees("For operators.")
    yield "admin-login"
    visitor.go("/admin/enrol")
    yield "enrolment"
    visitor.go("/email/verify")
    yield "email-verify-signed-out"
    visitor.go()
    visitor.page.evaluate(SUBMIT_BARE)
    visitor.sees("That did not work")
    yield "ceremony-failed"
    visitor.go()
    visitor.context.clear_cookies()
    visitor.page.evaluate(SUBMIT_BARE)
    visitor.sees("This form was too old")
    yield "403-csrf"


def account_pages(visitor: Visitor, ledger: Ledger) -> Iterator[str]:
    """Create a wallet and open each page of it; yield its name once it is there."""
    page = visitor.page
    visitor.create_wallet()
    visitor.wait_until_live()
    yield "home-empty"
    visitor.visit("receive/")
    yield "receive-unproven"
    visitor.press("Prove this passkey")
    copy = page.get_by_role("button", name="Copy address")
    expect(copy).to_be_visible(timeout=PATIENCE)
    yield "receive"
    visitor.visit("activity/")
    yield "activity-empty"
    visitor.visit()
    visitor.press("Get test ETH")
    visitor.wait_for_balance("1 ETH")

    visitor.visit("send/")
    yield "send"
    visitor.fill_payment(BAD_CHECKSUM, "2000")
    visitor.press("Review")
    visitor.sees("The checksum does not fit")
    yield "send-errors"
    yield from payment_pages(visitor)

    visitor.visit()
    visitor.wait_for_balance("0.75 ETH")
    yield "home"
    page.get_by_text("Do not show this again").click()
    yield "home-only-key"
    page.get_by_label("I understand that losing this passkey").check()
    visitor.press("Put the notice away")
    visitor.sees("Put away.")
    visitor.visit("activity/")
    yield "activity"
    yield from wallet_pages(visitor)
    visitor.visit("settings/")
    page.get_by_text("Contracts used").click()
    yield "settings"
    visitor.visit("second-way/")
    yield "second-way"
    visitor.visit("recovery/")
    yield "recovery-off"
    visitor.visit("recovery/plan/")
    yield "loss-plan"
    visitor.visit("recovery/plan/?site=stolen")
    yield "loss-plan-stolen"
    visitor.visit("recovery/set-up/")
    visitor.press("Review setting up recovery")
    visitor.sees("Nothing was prepared")
    yield "recovery-set-up-errors"
    yield from contact_pages(visitor)
    visitor.visit("owners/")
    yield "owners"
    visitor.visit("owners/replace/")
    yield "owner-replace"
    visitor.visit("owners/threshold/")
    yield "owner-threshold"
    yield from passkey_pages(visitor)
    yield from further_account_pages(visitor, ledger)


def contact_pages(visitor: Visitor) -> Iterator[str]:
    """Look at the empty address book, mistype an address, then name one."""
    page = visitor.page
    visitor.visit("contacts/")
    yield "contacts-empty"
    page.get_by_label("Address", exact=True).fill(BAD_CHECKSUM)
    page.get_by_label("Name", exact=True).fill("Rent")
    visitor.press("Add")
    visitor.sees("The checksum does not fit")
    yield "contacts-errors"
    page.get_by_label("Address", exact=True).fill(new_recipient())
    visitor.press("Add")
    visitor.sees("Added Rent.")
    open_details(visitor)
    yield "contacts"
    visitor.visit("activity/waiting/")
    visitor.sees("Nothing waits for approval")
    yield "queue-empty"


def payment_pages(visitor: Visitor) -> Iterator[str]:
    """Pay somebody, then somebody who refuses, then think better of it."""
    page, recipient = visitor.page, new_recipient()
    visitor.review(recipient, "0.25")
    page.get_by_text("Technical details").click()
    yield "review"
    visitor.authorize_button.click()
    visitor.wait_until_confirmed()
    yield "confirmed"
    visitor.fill_payment(recipient, "0.25")
    visitor.press("Review")
    visitor.sees("Send it a second time?")
    yield "send-again"
    visitor.fill_payment(REFUSES_ETH, "0.1")
    visitor.press("Review")
    visitor.sees("What you can do")
    page.get_by_text("Code", exact=True).click()
    yield "failure"
    visitor.review(recipient, "0.125")
    visitor.press("Discard this payment")
    visitor.sees("You discarded this payment")
    yield "discarded"


def wallet_pages(visitor: Visitor) -> Iterator[str]:
    """Ask for a wallet as an owner, in a browser that has none."""
    visitor.visit("owners/wallet/")
    yield "wallet-owner"
    address = visitor.page.get_by_label("Address", exact=True)
    address.fill(BAD_CHECKSUM)
    visitor.press("Go on with this address")
    visitor.sees("The checksum does not fit")
    yield "wallet-owner-errors"
    address.fill(new_recipient())
    visitor.press("Go on with this address")
    visitor.sees("Show that it can sign")
    yield "wallet-owner-proof"


def passkey_pages(visitor: Visitor) -> Iterator[str]:
    """Add a passkey of another device, and look at all that has to do with both."""
    page = visitor.page
    visitor.go("/passkeys/")
    open_details(visitor)
    yield "passkeys"
    security_key = VirtualPasskeys(page, transport="usb")
    security_key.hold_still()
    visitor.press("Add a passkey")
    visitor.sees("Where will the new passkey live?")
    yield "passkey-add"
    security_key.hold_still(False)
    visitor.press("Security key")
    page.wait_for_url(re.compile(r"/passkeys/\d+/accounts/$"))
    yield "passkey-accounts"
    yield from addition_pages(visitor, security_key)
    visitor.go("/passkeys/")
    visitor.sees("Signs in only, cannot pay")
    yield "passkeys-two"
    removals = page.get_by_role("link", name=re.compile("^Remove"))
    removals.last.click()
    page.wait_for_url("**/remove/")
    yield "passkey-remove"
    visitor.go("/passkeys/")
    removals.first.click()
    visitor.sees("It owns on chain")
    yield "passkey-remove-owner"
    visitor.go("/passkeys/events/")
    yield "security-events"
    yield from email_pages(visitor)


def addition_pages(visitor: Visitor, security_key: VirtualPasskeys) -> Iterator[str]:
    """Prove the new passkey, ask for its addition, and think better of it."""
    visitor.press("Prove this passkey")
    add = visitor.page.get_by_role("button", name="Add to")
    expect(add).to_be_visible(timeout=PATIENCE)
    security_key.hold_still()
    yield "passkey-accounts-add"
    add.click()
    expect(visitor.authorize_button).to_be_visible(timeout=PATIENCE)
    yield "review-addition"
    visitor.press("Discard this request")
    visitor.sees("You discarded this request")
    yield "discarded-addition"


def email_pages(visitor: Visitor) -> Iterator[str]:
    """Ask for alerts at an address that is none, then at one; look at a link's page."""
    visitor.go("/passkeys/")
    address = visitor.page.get_by_label("E-mail address", exact=True)
    address.fill("somebody@localhost")
    visitor.press("Add the address")
    visitor.sees("No mail was sent")
    yield "email-refused"
    address.fill("somebody@example.org")
    visitor.press("Add the address")
    visitor.sees("Waiting for the link")
    yield "email-asked"
    visitor.go("/email/verify")
    visitor.sees("Confirm the address")
    yield "email-verify"


def open_details(visitor: Visitor) -> None:
    """Open everything on the page that is folded."""
    for summary in visitor.page.locator("main summary").all():
        summary.click()
