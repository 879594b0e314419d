"""The console: every row can be found and read; nothing can be edited (R26).

The one action, "Nudge again", gives stuck work back to the workers. It is written to
the journal by the service that does it.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_site import ReadOnlyAdmin
from onchain import tasks
from onchain.models import (
    Block,
    Chain,
    Heartbeat,
    JournalEntry,
    KeyProof,
    OperationSignature,
    Owner,
    RelayerTransaction,
    Safe,
    UserOperation,
)
from onchain.services import nudging
from onchain.views.access import person


class NudgeAdmin(ReadOnlyAdmin):
    """A read-only model whose stuck rows can be nudged."""

    actions = ["nudge_again"]

    @admin.action(description="Nudge again", permissions=["view"])
    def nudge_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Give the chosen rows back to the workers."""
        for row in queryset:
            nudging.reset(row=row, actor=person(request))
            self.nudge(row)
        messages.success(request, f"Nudged: {queryset.count()}.")

    def nudge(self, row: Any) -> None:
        """Wake the worker that this row waits for."""
        raise NotImplementedError


@admin.register(Chain)
class ChainAdmin(NudgeAdmin):
    """Chains; nudging one runs its relayer."""

    list_display = ["name", "chain_id", "head_number", "problem", "follower_name"]
    list_filter = ["has_p256_precompile"]
    search_fields = ["name", "chain_id"]
    exclude = ["signer_proxy_code"]

    def nudge(self, row: Chain) -> None:
        tasks.run_relayer.delay_on_commit(row.pk)


@admin.register(Block)
class BlockAdmin(ReadOnlyAdmin):
    """Blocks lately read."""

    list_display = ["number", "chain", "timestamp"]
    list_filter = ["chain"]
    search_fields = ["number"]


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """Who was heard of, and when."""

    list_display = ["component", "chain", "seen_at", "is_stale", "detail"]
    list_filter = ["component"]
    search_fields = ["component", "detail"]


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    """What operators did."""

    list_display = ["created_at", "actor", "action", "target", "detail"]
    list_filter = ["action"]
    search_fields = ["target", "detail", "actor__name"]
    list_select_related = ["actor"]


@admin.register(Safe)
class SafeAdmin(NudgeAdmin):
    """Accounts; nudging a failed one queues it again."""

    list_display = ["address_text", "name", "status", "failure_code", "created_at"]
    list_filter = ["status", "layout", "chain", "created_at"]
    search_fields = ["name", "address", "created_by__name"]
    exclude = ["setup_data"]
    raw_id_fields = ["created_by", "deployment_transaction"]

    def nudge(self, row: Safe) -> None:
        tasks.run_relayer.delay_on_commit(row.chain_id)


@admin.register(Owner)
class OwnerAdmin(ReadOnlyAdmin):
    """Owners of accounts."""

    list_display = ["address_text", "kind", "safe", "proven_at"]
    list_filter = ["kind", "proven_at"]
    list_select_related = ["safe"]
    search_fields = ["address", "safe__address"]


@admin.register(KeyProof)
class KeyProofAdmin(NudgeAdmin):
    """Proofs of keys."""

    list_display = ["pk", "owner", "role", "status", "created_at"]
    list_filter = ["status", "role"]
    list_select_related = ["owner"]
    search_fields = ["owner__address"]
    exclude = ["signature", "nonce", "challenge"]

    def nudge(self, row: KeyProof) -> None:
        tasks.check_key_proof.delay_on_commit(row.pk)


@admin.register(RelayerTransaction)
class RelayerTransactionAdmin(NudgeAdmin):
    """What the relayer sent."""

    list_display = ["pk", "purpose", "status", "nonce", "failure_code", "created_at"]
    list_filter = ["status", "purpose", "chain", "created_at"]
    search_fields = ["hash", "to"]
    exclude = ["raw", "data", "idempotency_key"]

    def nudge(self, row: RelayerTransaction) -> None:
        tasks.run_relayer.delay_on_commit(row.chain_id)


@admin.register(UserOperation)
class UserOperationAdmin(NudgeAdmin):
    """Operations of accounts."""

    list_display = ["pk", "safe", "status", "failure_code", "created_at", "included_at"]
    list_filter = ["status", "failure_code", "created_at"]
    list_select_related = ["safe"]
    search_fields = ["user_operation_hash", "transaction_hash", "safe__address"]
    exclude = ["call_data", "paymaster_data", "idempotency_key"]
    raw_id_fields = ["safe", "created_by", "predecessor"]

    def nudge(self, row: UserOperation) -> None:
        if row.status == UserOperation.Status.DRAFT:
            tasks.prepare_user_operation.delay_on_commit(row.pk)
        else:
            tasks.submit_user_operation.delay_on_commit(row.pk)


@admin.register(OperationSignature)
class OperationSignatureAdmin(ReadOnlyAdmin):
    """Who signed what; the signatures themselves stay out of the page."""

    list_display = ["operation", "owner", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["operation", "owner"]
    search_fields = ["owner__address"]
    exclude = ["signature"]
