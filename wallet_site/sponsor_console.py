"""The sponsor on the console's first page: today's limits, and what pays for them."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts.admin_display import EMPTY, badge
from onchain.admin_display import (
    eth,
    link,
    list_url,
    short_address,
)
from onchain.models import Chain, PaymasterDeposit
from onchain.services import sponsor_usage, sponsorship


def sponsor_facts(chain: Chain | None) -> dict[str, Any]:
    """Return what counts today beside its limits, and what there is to pay from."""
    facts = {
        "total": settings.SPONSOR_DAILY_TOTAL,
        "dearest": eth(settings.SPONSOR_OPERATION_WEI),
        "state": badge("Nobody", "quiet"),
    }
    if chain is None:
        return facts | {"operations": 0}
    today = sponsor_usage.today(chain=chain)
    busiest = sponsor_usage.busiest(chain=chain)
    deposit = _deposit(chain)
    return facts | {
        "state": _state(chain),
        "operations": today.total.operations,
        "operations_text": of(today.total.operations, settings.SPONSOR_DAILY_TOTAL),
        "wei_text": of_wei(today.total.wei, settings.SPONSOR_DAILY_TOTAL_WEI),
        "newcomers_text": of(
            today.newcomers.operations, settings.SPONSOR_DAILY_TOTAL // 2
        ),
        "safety_text": of_wei(today.safety.wei, settings.SPONSOR_SAFETY_WEI),
        "open": eth(today.open_wei),
        "busiest": busiest and link(busiest.safe, short_address(busiest.safe.address)),
        "busiest_text": busiest
        and of(busiest.operations, settings.SPONSOR_DAILY_OPERATIONS),
        "deposit": EMPTY
        if deposit is None
        else link(deposit, eth(deposit.deposit_wei)),
    }


def sponsor_lines(chain: Chain | None) -> list[dict[str, str]]:
    """Return what an operator should look at, and where."""
    if chain is None:
        return []
    lines = []
    if chain.sponsorship_paused:
        lines.append({"text": "Sponsorship is paused.", "url": list_url(Chain)})
    deposit = _deposit(chain)
    if deposit is not None and deposit.problem:
        sentence = deposit.problem
        text = f"The paymaster: {sentence[0].lower()}{sentence[1:]}"
        lines.append({"text": text, "url": list_url(PaymasterDeposit)})
    return lines


def _deposit(chain: Chain) -> PaymasterDeposit | None:
    """Return what was read of the configured paymaster, None where it is another's."""
    address = sponsorship.paymaster_address()
    if address is None or settings.PAYMASTER_URL:
        return None
    return PaymasterDeposit.objects.filter(chain=chain, address=address).first()


def _state(chain: Chain) -> object:
    if not settings.PAYMASTER_URL and not settings.PAYMASTER_ADDRESS:
        return badge("Nobody is sponsored", "quiet")
    if chain.sponsorship_paused:
        return badge("Paused", "bad")
    return badge("Running", "good")


def of(count: int, limit: int) -> str:
    """Return a count beside its limit."""
    return f"{count:,} of {limit:,}"


def of_wei(wei: int, limit: int) -> str:
    """Return an amount beside its limit."""
    return f"{eth(wei)} of {eth(limit)}"
