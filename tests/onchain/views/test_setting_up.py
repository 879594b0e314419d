"""What people read while their account is not live, and how they can do it alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from onchain.models import Chain, NetworkQuota, Safe
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.types import checksum_address
from onchain.services import budgets, deployments
from onchain.services.deployment_batches import TOO_MUCH_GAS
from tests.pages import Page
from tests.wallets import Wallet, make_wallet

pytestmark = pytest.mark.django_db

HASH = b"\1" * 32
OFFER = "Deploy it yourself"


@pytest.fixture
def queued() -> Wallet:
    wallet = make_wallet()
    fields = {"status": "queued", "deployed_block": None, "network_hash": HASH}
    Safe.objects.update(**fields, deployment_requested_at=timezone.now())
    wallet.safe.refresh_from_db()
    return wallet


def page(wallet: Wallet, name: str = "safe-detail") -> Page:
    response = wallet.client.get(wallet.url(name))
    assert response.status_code == 200
    return Page(response)


def exhaust_budget(wallet: Wallet) -> None:
    budgets.note_refusal(chain=wallet.safe.chain, pool="deployments")


def exhaust_network(wallet: Wallet) -> None:
    NetworkQuota.objects.create(
        chain=wallet.safe.chain,
        network_hash=HASH,
        day=budgets.today(),
        accounts=10**6,
    )


WAITS = {
    "budget": (exhaust_budget, "Today's budget for new accounts is used up"),
    "network": (exhaust_network, "Many accounts were opened from your network today"),
    "pause": (
        lambda _wallet: Chain.objects.update(deployments_paused=True),
        "The operator paused setting up new accounts",
    ),
    "fees": (
        lambda _wallet: Chain.objects.update(base_fee_wei=10**15),
        "Network fees are higher than the operator pays",
    ),
}


def test_while_it_goes_its_way_nothing_is_offered(queued: Wallet):
    words = page(queued).words

    assert "usually takes a few seconds" in words
    assert OFFER not in words


@pytest.mark.parametrize(("hold", "words"), WAITS.values(), ids=WAITS)
def test_what_holds_it_back_is_said_and_not_an_error(queued: Wallet, hold, words):
    hold(queued)

    shown = page(queued)

    assert words in shown.words
    assert OFFER in shown.words
    assert "stopped" not in shown.words


def test_after_ten_minutes_it_is_offered(queued: Wallet):
    long_ago = timezone.now() - timedelta(minutes=10, seconds=1)
    Safe.objects.update(deployment_requested_at=long_ago)

    assert OFFER in page(queued).words


def test_a_failed_one_says_why_and_offers_it(queued: Wallet):
    Safe.objects.update(status="failed", failure_code=TOO_MUCH_GAS)

    words = page(queued).words

    assert "more gas than one transaction may use" in words
    assert OFFER in words


def test_an_account_that_waits_for_its_first_payment_is_not_stuck(queued: Wallet):
    exhaust_budget(queued)
    Safe.objects.update(deployment_requested_at=None)

    words = page(queued).words

    assert "first deposit or payment" in words
    assert "budget" not in words


def test_the_whole_call_is_shown_to_be_copied_with_its_cost(queued: Wallet):
    exhaust_budget(queued)

    shown = page(queued, "safe-deploy-yourself")

    calls = deployments.calls(queued.safe)
    data = f"0x{aggregate3_data(calls, allow_failure=False).hex()}"
    copied = {element["data-copy"] for element in shown.with_attribute("data-copy")}
    assert copied == {checksum_address(MULTICALL3), "0", data}
    assert data in shown.html
    assert "0.000393 ETH" in shown.words  # 393,000 gas at 1 gwei


def test_where_only_signers_are_missing_the_call_brings_only_them(queued: Wallet):
    exhaust_budget(queued)
    Safe.objects.update(noticed_block=7)

    shown = page(queued, "safe-deploy-yourself")

    calls = deployments.signer_calls(queued.safe)
    data = aggregate3_data(calls, allow_failure=False).hex()
    assert f"0x{data}" in shown.html
    assert queued.safe.setup_data.hex() not in shown.html


def test_once_it_is_live_the_offer_goes_and_asks_no_more(queued: Wallet):
    exhaust_budget(queued)
    waiting = page(queued, "safe-deploy-yourself")
    Safe.objects.update(status="deployed", deployed_block=7)

    live = page(queued, "safe-deploy-yourself")

    assert "hx-trigger" in waiting.html
    assert "hx-trigger" not in live.html
    assert OFFER not in live.words
