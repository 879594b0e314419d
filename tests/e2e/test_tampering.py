"""A review that was changed on its way is never signed, or never sent (R15, R16)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.ledger import Ledger, new_recipient
from tests.e2e.visitor import PATIENCE, Visitor

THIEF = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
# What a script that got into the page can do before the button is pressed.
HANDS = """
const shown = (name) => document.querySelector(`[data-signed="${name}"]`);
const request = document.getElementById("signing-request");
const edit = (how) => {
  const fields = JSON.parse(request.textContent);
  how(fields);
  request.textContent = JSON.stringify(fields);
};
"""
CHANGES = {
    "another recipient": f'shown("recipient").textContent = "{THIEF}";',
    "another amount": 'shown("amount").textContent = "0.001 ETH";',
    "another account": f'shown("account").textContent = "{THIEF}";',
    "a lower fee": 'shown("max-fee").textContent = "0 ETH";',
    "another payer": 'shown("payer").dataset.value = "account";',
    "another end": 'shown("valid-until").dateTime = "2099-01-01T00:00:00+00:00";',
    "another call": f'edit((fields) => (fields.calls[0].to = "{THIEF}"));',
    "another value": 'edit((fields) => (fields.calls[0].valueWei = "1"));',
    "another nonce": 'edit((fields) => (fields.message.nonce = "77"));',
    "another hash": f'edit((fields) => (fields.hash = "0x{"11" * 32}"));',
    "the recipient in both": f"""
        shown("recipient").textContent = "{THIEF}";
        edit((fields) => (fields.calls[0].to = "{THIEF}"));""",
    "no request": "request.remove();",
}
# A lie without a contradiction: everything shown and asked for fits together.
CONSISTENT = f"""async () => {{
  {HANDS}
  const link = document.querySelector("link[rel=modulepreload][href*=signing]");
  const signing = await import(link.href);
  shown("recipient").textContent = "{THIEF}";
  edit((fields) => {{
    fields.calls[0].to = "{THIEF}";
    fields.message.callData = signing.callData(fields.calls);
    fields.hash = signing.safeOperationHash(fields.message);
  }});
}}"""


@pytest.fixture(scope="module")
def review_url(settled: Visitor) -> str:
    """One open review; nothing here ever signs it."""
    settled.review(new_recipient(), "0.05")
    return settled.page.url


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_review_never_reaches_the_passkey(
    resident: Visitor, review_url: str, change: str
) -> None:
    resident.go(review_url)
    resident.page.evaluate(f"() => {{ {HANDS} {change} }}")

    resident.authorize_button.click()

    said = resident.page.locator("[data-passkey-error]:visible")
    expect(said).to_contain_text("othing was signed.", timeout=PATIENCE)
    assert resident.ceremonies == []


def test_a_signature_over_another_payment_is_refused_by_the_server(
    resident: Visitor, review_url: str, ledger: Ledger
) -> None:
    before = ledger.balance_wei(THIEF)
    resident.go(review_url)
    resident.page.evaluate(CONSISTENT)

    resident.authorize_button.click()

    resident.sees("Nothing was signed")
    assert resident.ceremonies == ["get 32"]
    assert ledger.balance_wei(THIEF) == before
    resident.go(review_url)
    expect(resident.authorize_button).to_be_visible(timeout=PATIENCE)
