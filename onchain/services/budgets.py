"""The relayer's money by the day: promised before it is spent, exact in wei (R68, R69).

Whatever is signed takes the most it can cost from a pool, in the transaction that
stores it; once it is on chain, what it did cost counts instead. Parallel workers wait
for each other at the pool's row, so together they promise no more than the limit.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from onchain.errors import OverBudget
from onchain.models import Budget, Chain, RelayerTransaction

logger = logging.getLogger(__name__)

Pool = Budget.Pool
Purpose = RelayerTransaction.Purpose
# Test ETH exists on the local chain only; a filled gap frees all that waits behind it.
UNBUDGETED = {Purpose.FAUCET, Purpose.FILL}
ASK_AGAIN_SECONDS = 30  # a pool that was used up is asked again this often


def today() -> date:
    """Return the day that budgets count in, of UTC."""
    return timezone.now().astimezone(UTC).date()


def limit(pool: str) -> int:
    """Return what a pool may spend in a day, in wei."""
    limits: dict[str, int] = {
        Pool.DEPLOYMENTS: settings.DEPLOY_DAILY_WEI,
        Pool.RELAYS: settings.RELAY_DAILY_WEI,
        Pool.SAFETY: settings.SAFETY_RESERVE_WEI,
    }
    return limits[pool]


def pools_of(*, row: RelayerTransaction) -> Sequence[str]:
    """Return the pools that a transaction may be paid from, in order; none: no limit.

    What keeps an account safe falls back on the reserve, which nothing else touches.
    """
    if row.purpose in UNBUDGETED:
        return ()
    if row.purpose == Purpose.DEPLOY:
        return (Pool.DEPLOYMENTS,)
    return (Pool.RELAYS, Pool.SAFETY) if row.is_safety else (Pool.RELAYS,)


def reserve(*, chain: Chain, pools: Sequence[str], cost_wei: int) -> Budget | None:
    """Promise a cost from the first pool that has it; None: no pool was asked for.

    Called in the transaction that stores what it pays for: both or neither. Accounts
    and relayer transactions are locked before it (``row_locks``).

    Raises:
        OverBudget: none of the pools has it; nothing was promised.
    """
    for pool in pools:
        budget = _locked(chain, pool)
        used = budget.used_wei + cost_wei
        if used <= limit(pool):
            Budget.objects.filter(pk=budget.pk).update(used_wei=used, refused_at=None)
            return budget
    if pools:
        raise OverBudget(pools[-1])
    return None


def settle(*, row: RelayerTransaction, cost_wei: int) -> None:
    """Count this cost for a transaction in place of what it counted for so far.

    0 for one that will never be mined, the highest cost for one in flight. Repeating
    it changes nothing; the day is the one on which it was promised.
    """
    with transaction.atomic():
        rows = RelayerTransaction.objects.select_for_update(no_key=True)
        before = rows.get(pk=row.pk)
        if before.budget_id is None or before.charged_wei == cost_wei:
            return
        budget = Budget.objects.select_for_update(no_key=True).get(pk=before.budget_id)
        used = budget.used_wei - before.charged_wei + cost_wei
        # Where there is room again, it is worth another ask.
        refused_at = None if used < budget.used_wei else budget.refused_at
        Budget.objects.filter(pk=budget.pk).update(used_wei=used, refused_at=refused_at)
        RelayerTransaction.objects.filter(pk=row.pk).update(charged_wei=cost_wei)


def used_today(*, chain: Chain, pool: str) -> int:
    """Return what a pool has spent and promised today, in wei."""
    budget = Budget.objects.filter(chain=chain, pool=pool, day=today()).first()
    return 0 if budget is None else budget.used_wei


def note_refusal(*, chain: Chain, pool: str) -> None:
    """Remember that something did not fit, for people, operators and the next ask."""
    budget, _created = _row(chain, pool)
    if budget.refused_at is None:
        logger.warning("today's budget is used up: %s on %s", pool, chain.chain_id)
    Budget.objects.filter(pk=budget.pk).update(refused_at=timezone.now())


def is_used_up(*, chain: Chain, pool: str) -> bool:
    """Whether what was asked of the pool last, today, did not fit."""
    refused = Budget.objects.filter(chain=chain, pool=pool, refused_at__isnull=False)
    return refused.filter(day=today()).exists()


def was_just_refused(*, chain: Chain, pool: str) -> bool:
    """Whether asking the pool again is too early to be worth a request to the node."""
    since = timezone.now() - timedelta(seconds=ASK_AGAIN_SECONDS)
    refused = Budget.objects.filter(chain=chain, pool=pool, refused_at__gt=since)
    return refused.filter(day=today()).exists()


def held_back() -> Q:
    """Return the condition on accounts that wait for tomorrow or for an operator.

    They are not stuck: nobody has to look after each of them (security.md R60, R68).
    """
    used_up = Budget.objects.filter(
        chain=OuterRef("chain"),
        pool=Pool.DEPLOYMENTS,
        day=today(),
        refused_at__isnull=False,
    )
    return Q(chain__deployments_paused=True) | Q(Exists(used_up))


def problems(*, chain: Chain) -> list[str]:
    """Return why something waits for tomorrow's budget, one sentence each."""
    rows = chain.budgets.filter(day=today(), refused_at__isnull=False)
    return [f"Today's budget is used up: {row.get_pool_display()}." for row in rows]


def _row(chain: Chain, pool: str) -> tuple[Budget, bool]:
    return Budget.objects.get_or_create(chain=chain, pool=pool, day=today())


def _locked(chain: Chain, pool: str) -> Budget:
    budget, _created = _row(chain, pool)
    return Budget.objects.select_for_update(no_key=True).get(pk=budget.pk)
