"""A second passkey becomes an owner, and then moves the account alone (R6, R15, R16)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from onchain.protocol.deployments import SIGNER_FACTORY
from onchain.protocol.types import checksum_address
from tests import signing_oracle
from tests.e2e.conftest import Welcome
from tests.e2e.ledger import Ledger, new_recipient
from tests.e2e.virtual_passkeys import VirtualPasskeys
from tests.e2e.visitor import PATIENCE, Visitor

ETH = 10**18  # wei
# What a script that got into the review can do before the button is pressed.
HANDS = """
const shown = (name) => document.querySelector(`[data-signed="${name}"]`);
const request = document.getElementById("signing-request");
const edit = (how) => {
  const fields = JSON.parse(request.textContent);
  how(fields);
  request.textContent = JSON.stringify(fields);
};
"""
THIEF = checksum_address(SIGNER_FACTORY)
CHANGES = {
    "another owner": f'shown("new-owner").textContent = "{THIEF}";',
    "another key": 'shown("new-key").textContent = "0000 1111 2222 3333";',
    "another threshold": 'shown("threshold").textContent = "2 of 2 must approve";',
    "another account": f'shown("account").textContent = "{THIEF}";',
    "another signer": f'edit((fields) => (fields.newOwner.signer = "{THIEF}"));',
    "another x": 'edit((fields) => (fields.newOwner.x = "1"));',
    "other code": 'edit((fields) => (fields.newOwner.proxyCode = "0x60"));',
    "a lower threshold": 'edit((fields) => (fields.change.threshold = "0"));',
    "no new owner": "edit((fields) => delete fields.newOwner);",
    "one call more": "edit((fields) => fields.calls.push(fields.calls[1]));",
}


@pytest.fixture
def key(visitor: Visitor) -> VirtualPasskeys:
    """A second device of the visitor, plugged in once they have a wallet."""
    visitor.open_wallet()
    visitor.reset()
    key = VirtualPasskeys(visitor.page, transport="usb")
    key.hold_still()
    return key


@pytest.fixture(autouse=True)
def nothing_odd(visitor: Visitor) -> Iterator[None]:
    """No page breaks its policy, asks elsewhere, or complains."""
    yield
    for kind in ("violation", "elsewhere", "console"):
        assert visitor.noticed[kind] == []


def add_passkey(visitor: Visitor, key: VirtualPasskeys) -> None:
    """Make a passkey on the second device; the page of its accounts is open then."""
    visitor.go("/passkeys/")
    visitor.press("Add a passkey")
    visitor.sees("Where will the new passkey live?")
    key.hold_still(False)
    visitor.press("Security key")
    visitor.page.wait_for_url(re.compile(r"/passkeys/\d+/accounts/$"))


def open_review(visitor: Visitor, key: VirtualPasskeys) -> None:
    """Let the new passkey prove itself, ask for its addition, open the review."""
    add_passkey(visitor, key)
    visitor.press("Prove this passkey")
    add = visitor.page.get_by_role("button", name="Add to")
    expect(add).to_be_visible(timeout=PATIENCE)
    key.hold_still()  # from here on an owner is asked
    add.click()
    expect(visitor.authorize_button).to_be_visible(timeout=PATIENCE)


def test_until_it_is_added_a_passkey_only_signs_in(
    visitor: Visitor, key: VirtualPasskeys
) -> None:
    add_passkey(visitor, key)

    visitor.sees("Signs in only, cannot pay")
    visitor.sees("Prove it first")


def test_a_second_passkey_is_added_and_then_pays_alone(
    visitor: Visitor, key: VirtualPasskeys, welcome: Welcome, ledger: Ledger
) -> None:
    open_review(visitor, key)
    public_key = key.public_key()
    signer = signing_oracle.signer_address(public_key.x, public_key.y)
    shown = {
        name: "".join(visitor.signed_text(name).split())
        for name in ("new-owner", "new-key", "account")
    }
    assert shown == {
        "new-owner": signer,
        "new-key": signing_oracle.fingerprint(public_key.x, public_key.y).replace(
            " ", ""
        ),
        "account": visitor.account,
    }
    visitor.authorize_button.click()
    visitor.wait_until_confirmed()
    visitor.sees("Passkey added")
    visitor.sees(re.compile("This passkey can pay from Account 1"))
    assert visitor.ceremonies == ["get 64", "create 64", "get 32", "get 32"]

    visitor.page.get_by_role("link", name="The accounts of this passkey").click()
    expect(visitor.page.get_by_text("Owner", exact=True)).to_be_visible(
        timeout=PATIENCE
    )
    assert visitor.page.get_by_text("Signs in only, cannot pay").count() == 0
    visitor.visit("settings/")
    visitor.sees("1 of 2 owners must sign.")

    alone = welcome()
    alone.passkeys.bring(key.all())
    alone.sign_in()
    assert alone.account == visitor.account
    recipient = new_recipient()
    alone.pay(recipient, "0.125")
    assert ledger.balance_wei(recipient) == ETH // 8
    assert alone.ceremonies == ["get 64", "get 32"]


@pytest.mark.thorough
def test_a_changed_review_never_reaches_the_passkey(
    visitor: Visitor, key: VirtualPasskeys
) -> None:
    open_review(visitor, key)
    url = visitor.page.url
    visitor.noticed["ceremony"].clear()

    for name, change in CHANGES.items():
        visitor.go(url)
        visitor.page.evaluate(f"() => {{ {HANDS} {change} }}")
        visitor.authorize_button.click()
        said = visitor.page.locator("[data-passkey-error]:visible")
        expect(said, name).to_contain_text("othing was signed.", timeout=PATIENCE)

    assert visitor.ceremonies == []
    visitor.go(url)
    visitor.press("Discard this request")
    visitor.sees("You discarded this request before it was signed.")


@pytest.mark.thorough
def test_the_new_passkey_is_not_asked_to_let_itself_in(
    visitor: Visitor, key: VirtualPasskeys
) -> None:
    open_review(visitor, key)

    request = visitor.page.evaluate(
        "() => JSON.parse(document.getElementById('signing-request').textContent)"
    )

    (old,), (new,) = visitor.passkeys.all(), key.all()
    asked = [entry["id"] for entry in request["allowCredentials"]]
    assert asked == [in_base64url(old["credentialId"])]
    assert asked != [in_base64url(new["credentialId"])]


def in_base64url(text: str) -> str:
    """Return base64 text as JSON options write it."""
    return text.rstrip("=").replace("+", "-").replace("/", "_")
