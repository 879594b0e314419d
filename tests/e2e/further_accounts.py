"""Accounts beside the first: one that sets itself up, and one that was made elsewhere.

The second stands on the chain under the same passkey, by another wallet as it were, with
a module that nobody here knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from playwright.sync_api import expect

from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.types import checksum_address
from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.visitor import PATIENCE, Visitor

NOT_A_SAFE = checksum_address(MULTICALL3)
SALT = slice(40 + 8 + 2 * 64, 40 + 8 + 3 * 64)  # in initCode's hex digits


def further_account_pages(visitor: Visitor, ledger: Ledger) -> Iterator[str]:
    """Open an account that sets itself up, then add one from elsewhere."""
    yield from new_account_pages(visitor)
    yield from set_up_pages(visitor)
    elsewhere = make_elsewhere(signing_request(visitor), ledger)
    visitor.authorize_button.click()
    visitor.wait_until_confirmed()
    visitor.page.get_by_text("Technical details").click()
    yield "confirmed-set-up"
    yield from lookup_pages(visitor, elsewhere)
    yield from foreign_pages(visitor, elsewhere)
    visitor.go("/")
    yield "accounts"


def new_account_pages(visitor: Visitor) -> Iterator[str]:
    """Ask for a new account without a name, then for one that pays for itself."""
    visitor.go("/accounts/new/")
    yield "account-new"
    visitor.page.get_by_label("Name").fill("")
    visitor.press("Create this account")
    visitor.sees("Give the account a name.")
    yield "account-new-errors"
    open_self_paid(visitor)
    yield "home-self-paid"


def open_self_paid(visitor: Visitor) -> None:
    """Open one more account, which its own first payment will set up."""
    visitor.go("/accounts/new/")
    visitor.page.get_by_label("I pay for setting it up").check()
    visitor.press("Create this account")
    visitor.arrive()
    visitor.sees("Waits for your first payment")


def set_up_pages(visitor: Visitor) -> Iterator[str]:
    """Give the account money and ask for the payment that sets it up."""
    visitor.press("Get test ETH")
    visitor.wait_for_balance("1 ETH")
    visitor.visit("send/")
    yield "send-self-paid"
    visitor.review(new_recipient(), "0.25")
    visitor.sees("Sets up Account")
    yield "review-set-up"


def signing_request(visitor: Visitor) -> dict[str, Any]:
    """Return what the open review asks the passkey for."""
    request: dict[str, Any] = json.loads(
        visitor.page.locator("#signing-request").inner_text()
    )
    return request


def make_elsewhere(request: dict[str, Any], ledger: Ledger) -> str:
    """Put the account of another salt on chain, with a strange module; its address."""
    init_code = request["message"]["initCode"][2:]
    factory, other_salt = f"0x{init_code[:40]}", "7" * 64
    data = f"0x{init_code[40 : SALT.start]}{other_salt}{init_code[SALT.stop :]}"
    account = ledger.make(factory, data)
    ledger.give(account, ETH)
    module = encode(["address"], [new_recipient()])
    ledger.act_on_itself(account, keccak(text="enableModule(address)")[:4] + module)
    return account


def look_up(visitor: Visitor, address: str) -> None:
    """Ask what the chain has at an address."""
    visitor.go("/accounts/add/")
    visitor.page.get_by_label("Address").fill(address)
    visitor.press("Look it up")


def lookup_pages(visitor: Visitor, elsewhere: str) -> Iterator[str]:
    """Ask about what is no account, then about the account, and add it."""
    visitor.go("/accounts/add/")
    yield "account-add"
    look_up(visitor, NOT_A_SAFE)
    visitor.sees("Look up another address")
    yield "account-lookup-refused"
    look_up(visitor, elsewhere)
    add = visitor.page.get_by_role("button", name="Add it")
    expect(add).to_be_visible(timeout=PATIENCE)
    yield "account-lookup"
    add.click()
    visitor.sees("Added as")


def foreign_pages(visitor: Visitor, elsewhere: str) -> Iterator[str]:
    """Look at an account in which something else has power, and say that it is known."""
    visitor.account = elsewhere
    visitor.visit()
    visitor.sees("Something else has power over this account")
    yield "home-foreign"
    visitor.visit("receive/")
    yield "receive-foreign"
    visitor.press("I know what these are")
    visitor.sees("Your address on")
