"""What operators see of their own key's transactions."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_display import badge
from onchain import tasks
from onchain.admin_base import ChainAdminBase, FailureFilter, NudgeAdmin, StuckFilter
from onchain.admin_display import eth
from onchain.models import Budget, NetworkQuota, RelayerAttempt, RelayerTransaction
from onchain.services import budgets


@admin.register(RelayerTransaction)
class RelayerTransactionAdmin(NudgeAdmin):
    """What the relayer sent."""

    list_display = [
        "id",
        "purpose",
        "state",
        "nonce",
        "to",
        "value_wei",
        "hash",
        "failure_code",
        "created_at",
    ]
    list_filter = [
        StuckFilter,
        "status",
        "purpose",
        "is_safety",
        ("failure_code", FailureFilter),
        "created_at",
    ]
    search_fields = ["failure_code", "requested_by__name"]
    address_search = ("to", "sender", "safes__address")
    hash_search = ("hash",)
    exclude = ["raw", "data", "idempotency_key", "status"]
    readonly_fields = ["state"]

    def nudge(self, row: RelayerTransaction) -> None:
        tasks.run_relayer.delay_on_commit(row.chain_id)


@admin.register(Budget)
class BudgetAdmin(ChainAdminBase):
    """What the relayer spent and promised, by day."""

    list_display = ["day", "pool", "used_wei", "daily_limit", "fits", "chain"]
    list_filter = ["pool", "day"]
    list_select_related = ["chain"]
    search_fields = ["pool"]
    readonly_fields = ["daily_limit", "fits"]

    @admin.display(description="Limit of a day")
    def daily_limit(self, row: Budget) -> str:
        """Return what the pool may spend in a day, as it is set now."""
        return eth(budgets.limit(row.pool))

    @admin.display(description="State")
    def fits(self, row: Budget) -> object:
        """Say whether what was asked last did fit."""
        if row.refused_at is None:
            return badge("Open", "good")
        return badge("Used up", "bad")


@admin.register(NetworkQuota)
class NetworkQuotaAdmin(ChainAdminBase):
    """Where many new accounts come from; the networks themselves are not kept."""

    list_display = ["day", "accounts", "network_hash", "chain"]
    list_filter = ["day"]
    list_select_related = ["chain"]
    search_fields = ["accounts"]
    hash_search = ("network_hash",)


@admin.register(RelayerAttempt)
class RelayerAttemptAdmin(ChainAdminBase):
    """Versions that were replaced with higher fees."""

    list_display = ["id", "transaction", "hash", "max_fee_per_gas", "replaced_at"]
    list_filter = ["replaced_at"]
    list_select_related = ["transaction"]
    search_fields = ["transaction__failure_code"]
    hash_search = ("hash",)
    exclude = ["raw"]
