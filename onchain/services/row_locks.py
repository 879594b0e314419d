"""The one order in which rows are locked, for whoever changes more than one.

    people, blocks, accounts, operations, relayer transactions, budgets, network
    quotas, the chain

and within a kind by key (budgets by day and pool). Two that follow it never wait for
each other; PostgreSQL would end one of the two, and its work would be done later. Who
changes a single row, or only rows that hang on one that is locked already (the
operation of a locked account, the sponsorship of a locked operation), needs none of
this. Keys never change, and so nothing here holds up rows that are made beside it and
refer to these. SQLite has one writer at a time and no locks.

Call these in a transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Q

from onchain.models import Budget, Chain, RelayerTransaction, Safe


def lock_accounts(keys: Collection[int]) -> None:
    """Hold the accounts until the transaction ends."""
    rows = Safe.objects.select_for_update(no_key=True).filter(pk__in=keys)
    list(rows.order_by("pk").values_list("pk"))


def lock_relayed(rows: Iterable[RelayerTransaction]) -> None:
    """Hold relayer transactions and the budgets that they take from."""
    keys = [row.pk for row in rows]
    found = RelayerTransaction.objects.select_for_update(no_key=True).filter(
        pk__in=keys
    )
    budgets = {key for (key,) in found.order_by("pk").values_list("budget_id")}
    held = Budget.objects.select_for_update(no_key=True).filter(pk__in=budgets)
    list(held.order_by("day", "pool").values_list("pk"))


def accounts_of(rows: Iterable[RelayerTransaction]) -> set[int]:
    """Return the keys of the accounts that wait for these transactions."""
    waiting = Safe.objects.filter(deployment_transaction__in=[row.pk for row in rows])
    return set(waiting.values_list("pk", flat=True))


def accounts_above(*, chain: Chain, number: int) -> set[int]:
    """Return the keys of the accounts that blocks above ``number`` changed."""
    own = Safe.objects.filter(chain=chain)
    written = Q(deployed_block__gt=number) | Q(synced_at_block__gt=number)
    written |= Q(owners_synced_block__gt=number) | Q(noticed_block__gt=number)
    acted = Q(operations__block_number__gt=number)
    mined = Q(deployment_transaction__block_number__gt=number)
    guarded = Q(recovery_setups__read_block__gt=number)
    recovered = Q(recovery_setups__requests__started_block__gt=number)
    recovered |= Q(recovery_setups__requests__ended_block__gt=number)
    found = (written, acted, mined, guarded, recovered)
    return {
        key
        for rows in map(own.filter, found)
        for key in rows.values_list("pk", flat=True)
    }
