"""What operators see of their own key's transactions."""

from __future__ import annotations

from django.contrib import admin

from onchain import tasks
from onchain.admin_base import ChainAdminBase, FailureFilter, NudgeAdmin, StuckFilter
from onchain.models import RelayerAttempt, RelayerTransaction


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


@admin.register(RelayerAttempt)
class RelayerAttemptAdmin(ChainAdminBase):
    """Versions that were replaced with higher fees."""

    list_display = ["id", "transaction", "hash", "max_fee_per_gas", "replaced_at"]
    list_filter = ["replaced_at"]
    list_select_related = ["transaction"]
    search_fields = ["transaction__failure_code"]
    hash_search = ("hash",)
    exclude = ["raw"]
