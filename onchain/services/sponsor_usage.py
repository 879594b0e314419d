"""What counts against the sponsor's limits today, added up from rows.

There is no counter that could drift. A day is a UTC day of this machine's clock. On it
count what was included on it, at its cost, whether it succeeded or reverted; and
whatever may still be included, at the most it can cost (security.md R57).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import BigIntegerField, Count, ExpressionWrapper, F, Q, QuerySet
from django.db.models import Sum as DatabaseSum
from django.db.models.functions import Coalesce

from onchain.models import Chain, Safe, Sponsorship

SPLIT = 10**9  # sums of wei pass 64 bits: the halves of each are added up apart
NOBODY = -1  # no account has this key
Pool = Sponsorship.Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Operations, and what they cost or may cost."""

    operations: int
    wei: int

    def __add__(self, other: Use) -> Use:
        return Use(
            operations=self.operations + other.operations, wei=self.wei + other.wei
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What counts against today's limits of one chain."""

    newcomers: Use
    established: Use
    safety: Use
    account: Use  # of the account asked about, without the safety reserve
    account_safety: Use  # what the same account took from the safety reserve
    open_wei: int  # the most that all that is not included yet can cost

    @property
    def total(self) -> Use:
        """All accounts together, without the safety reserve."""
        return self.newcomers + self.established


def today(*, chain: Chain, safe: Safe | None = None) -> Today:
    """Return what counts today, for the chain and for one account, in two queries."""
    rows = Sponsorship.objects.filter(chain=chain).order_by()
    open_rows = rows.outstanding(confirmed=chain.confirmed_timestamp)
    owner = NOBODY if safe is None else safe.pk
    paid = _sums(rows.filter(paid_at__gte=midnight()), "paid_wei", owner)
    reserved = _sums(open_rows, "reserved_wei", owner)
    sums = paid + reserved
    return Today(
        newcomers=_use(sums, Pool.NEWCOMER),
        established=_use(sums, Pool.ESTABLISHED),
        safety=_use(sums, Pool.SAFETY),
        account=_use(sums, _own(Pool.NEWCOMER)) + _use(sums, _own(Pool.ESTABLISHED)),
        account_safety=_use(sums, _own(Pool.SAFETY)),
        open_wei=sum(_use(reserved, pool).wei for pool in Pool),
    )


def midnight() -> datetime:
    """Return when the day began, in UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _own(pool: str) -> str:
    return f"own {pool}"


def _use(sums: Counter[tuple[str, str]], name: str) -> Use:
    return Use(operations=sums[name, "operations"], wei=sums[name, "wei"])


def _sums(
    rows: QuerySet[Sponsorship], column: str, owner: int
) -> Counter[tuple[str, str]]:
    """Return operations and wei by pool, and those of one account by ``own`` pool."""
    high, low = F(column) / SPLIT, F(column) % SPLIT
    own = Q(safe=owner)
    sums: Counter[tuple[str, str]] = Counter()
    groups = rows.values("pool").annotate(
        operations=Count("pk"),
        high=_sum(high),
        low=_sum(low),
        own_operations=Count("pk", filter=own),
        own_high=_sum(high, own),
        own_low=_sum(low, own),
    )
    for group in groups:
        pool = group["pool"]
        sums[pool, "operations"] = group["operations"]
        sums[pool, "wei"] = group["high"] * SPLIT + group["low"]
        sums[_own(pool), "operations"] = group["own_operations"]
        sums[_own(pool), "wei"] = group["own_high"] * SPLIT + group["own_low"]
    return sums


def _sum(half: Any, own: Q | None = None) -> Coalesce:
    whole = ExpressionWrapper(half, output_field=BigIntegerField())
    return Coalesce(DatabaseSum(whole, filter=own), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Busiest:
    """The account that most was sponsored for today."""

    safe: Safe
    operations: int


def busiest(*, chain: Chain) -> Busiest | None:
    """Return the account with the most operations that count today, if there is any."""
    counting = Q(paid_at__gte=midnight()) | Q(paid_at=None)
    if chain.confirmed_timestamp is not None:
        is_open = Q(paid_at=None, valid_until__gte=chain.confirmed_timestamp)
        counting = Q(paid_at__gte=midnight()) | is_open
    rows = Sponsorship.objects.filter(counting, chain=chain).exclude(pool=Pool.SAFETY)
    counts = rows.order_by().values_list("safe").annotate(count=Count("pk"))
    first = counts.order_by("-count", "safe").first()
    if first is None:
        return None
    return Busiest(safe=Safe.objects.get(pk=first[0]), operations=first[1])
