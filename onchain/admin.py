"""The console: every row can be found and read; nothing can be edited (R26).

The one action, "Nudge again", gives stuck work back to the workers and says what it
did. It is written to the journal by the service that does it.
"""

from __future__ import annotations

import json

from django.contrib import admin

# Registers its models in the import below; one is shown our way, one not at all.
from django_celery_results import admin as results_admin  # noqa: F401
from django_celery_results.models import GroupResult, TaskResult

from accounts.admin_display import EMPTY, badge
from accounts.admin_site import ReadOnlyAdmin
from onchain import (
    admin_accounts,  # noqa: F401  registers its models
    admin_chains,  # noqa: F401  registers its model
    admin_people,  # noqa: F401  registers its models
    admin_recovery,  # noqa: F401  registers its models
    admin_recovery_claims,  # noqa: F401  registers its models
    admin_recovery_drills,  # noqa: F401  registers its models
    admin_relayer,  # noqa: F401  registers its models
    admin_sponsorship,  # noqa: F401  registers its models
    admin_transfers,  # noqa: F401  registers its model
    tasks,
)
from onchain.admin_alarms import AlarmFilter, acknowledge_alarms
from onchain.admin_base import (
    ChainAdminBase,
    FailureFilter,
    NudgeAdmin,
    StuckFilter,
)
from onchain.admin_display import eth, list_link
from onchain.admin_fields import OPERATION_FIELDS, SAFE_FIELDS
from onchain.models import (
    Acknowledgement,
    Block,
    Heartbeat,
    JournalEntry,
    KeyProof,
    OperationSignature,
    Owner,
    Safe,
    UserOperation,
)

admin.site.unregister([GroupResult, TaskResult])


@admin.register(Block)
class BlockAdmin(ChainAdminBase):
    """Blocks lately read."""

    list_display = ["number", "hash", "timestamp", "chain"]
    list_filter = ["chain"]
    list_select_related = ["chain"]
    search_fields = ["number"]
    hash_search = ("hash",)


@admin.register(Heartbeat)
class HeartbeatAdmin(ChainAdminBase):
    """Who was heard of, and when."""

    list_display = ["component", "answering", "seen_at", "detail", "chain"]
    list_filter = ["component"]
    list_select_related = ["chain"]
    search_fields = ["component", "detail"]
    readonly_fields = ["answering"]

    @admin.display(description="State")
    def answering(self, row: Heartbeat) -> object:
        """Say whether it was heard of lately."""
        return badge("Silent", "bad") if row.is_stale else badge("Answering", "good")


@admin.register(JournalEntry)
class JournalEntryAdmin(ChainAdminBase):
    """What operators did, and alarms, which they acknowledge."""

    actions = [acknowledge_alarms]
    list_display = ["created_at", "actor", "action", "target", "detail"]
    list_filter = [AlarmFilter, "action", "created_at"]
    search_fields = ["target", "detail", "actor__name"]
    list_select_related = ["actor"]


@admin.register(Safe)
class SafeAdmin(NudgeAdmin):
    """Accounts; nudging a failed one queues it again."""

    list_display = [
        "address",
        "name",
        "created_by",
        "state",
        "balance_wei",
        "failure_code",
        "created_at",
    ]
    list_filter = [
        StuckFilter,
        "status",
        ("failure_code", FailureFilter),
        "layout",
        "created_at",
    ]
    list_select_related = ["created_by"]
    search_fields = ["name", "created_by__name"]
    address_search = ("address", "owners__address")
    fieldsets = SAFE_FIELDS
    readonly_fields = ["state", "its_owners", "its_operations"]

    @admin.display(description="Owners")
    def its_owners(self, row: Safe) -> object:
        """Return a link to its owners."""
        return list_link(Owner, "Owners of this account", safe=str(row.pk))

    @admin.display(description="Operations")
    def its_operations(self, row: Safe) -> object:
        """Return a link to its operations."""
        text = "Operations of this account"
        return list_link(UserOperation, text, safe=str(row.pk))

    def nudge(self, row: Safe) -> None:
        tasks.run_relayer.delay_on_commit(row.chain_id)


@admin.register(Owner)
class OwnerAdmin(ChainAdminBase):
    """Owners of accounts."""

    list_display = ["address", "kind", "account", "on_chain", "proof", "proven_at"]
    list_filter = ["is_current", "kind", "proven_at"]
    list_select_related = ["safe"]
    search_fields = ["safe__name", "credential__user__name"]
    address_search = ("address", "safe__address")

    @admin.display(description="On chain", ordering="is_current")
    def on_chain(self, row: Owner) -> object:
        """Say whether the chain has it among the owners."""
        return badge("Owner", "good") if row.is_current else badge("Removed", "quiet")

    @admin.display(description="Key", ordering="proven_at")
    def proof(self, row: Owner) -> object:
        """Say whether the key has shown that it signs."""
        if row.proven_at is None:
            return badge("Not proven", "quiet")
        return badge("Proven", "good")


@admin.register(Acknowledgement)
class AcknowledgementAdmin(ChainAdminBase):
    """Who said that they know what one key means."""

    list_display = ["id", "user", "account", "acknowledged_at"]
    list_filter = ["acknowledged_at"]
    list_select_related = ["user", "safe"]
    search_fields = ["user__name", "safe__name"]
    address_search = ("safe__address",)


@admin.register(KeyProof)
class KeyProofAdmin(NudgeAdmin):
    """Proofs of keys."""

    list_display = ["id", "signer", "role", "state", "created_at", "expires_at"]
    list_filter = [StuckFilter, "status", "role", "created_at"]
    list_select_related = ["safe", "credential"]
    search_fields = ["safe__name", "credential__user__name"]
    address_search = ("signer", "safe__address")
    exclude = ["signature", "nonce", "challenge", "status"]
    readonly_fields = ["state"]

    def nudge(self, row: KeyProof) -> None:
        tasks.check_key_proof.delay_on_commit(row.pk)


@admin.register(UserOperation)
class UserOperationAdmin(NudgeAdmin):
    """Operations of accounts."""

    list_display = [
        "id",
        "kind",
        "state",
        "value_wei",
        "account",
        "recipient",
        "failure_code",
        "created_at",
        "included_at",
    ]
    list_filter = [
        *(StuckFilter, "kind", "status", "carrier"),
        *(("failure_code", FailureFilter), "created_at"),
    ]
    list_select_related = ["safe"]
    search_fields = ["safe__name", "created_by__name", "failure_code"]
    address_search = ("safe__address", "recipient", "new_signer")
    hash_search = ("user_operation_hash", "safe_operation_hash", "transaction_hash")
    readonly_fields = ["state", "payer", "max_cost", "its_signatures"]
    fieldsets = OPERATION_FIELDS

    @admin.display(description="Who pays the fee")
    def payer(self, row: UserOperation) -> str:
        """Say in words who pays."""
        if row.max_fee_per_gas is None:
            return EMPTY
        return "The sponsor" if row.is_sponsored else "The account"

    @admin.display(description="Signatures")
    def its_signatures(self, row: UserOperation) -> object:
        """Return a link to who signed it."""
        return list_link(OperationSignature, "Who signed it", operation=str(row.pk))

    @admin.display(description="Highest fee")
    def max_cost(self, row: UserOperation) -> str:
        """Return the most that the fee can be."""
        return EMPTY if row.max_cost_wei is None else eth(row.max_cost_wei)

    def nudge(self, row: UserOperation) -> None:
        if row.status == UserOperation.Status.DRAFT:
            tasks.prepare_user_operation.delay_on_commit(row.pk)
        else:
            tasks.submit_user_operation.delay_on_commit(row.pk)


@admin.register(OperationSignature)
class OperationSignatureAdmin(ChainAdminBase):
    """Who signed what; the signatures themselves stay out of the page."""

    list_display = ["id", "operation", "owner", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["operation", "owner"]
    search_fields = ["owner__credential__user__name"]
    address_search = ("owner__address", "operation__safe__address")
    hash_search = ("operation__user_operation_hash",)
    exclude = ["signature"]


@admin.register(TaskResult)
class TaskResultAdmin(ReadOnlyAdmin):
    """What workers stumbled over: only errors are kept."""

    list_display = ["id", "status", "error", "worker", "date_done"]
    list_filter = ["status", "date_done"]
    search_fields = ["task_id", "result"]
    fields = ["task_id", "status", "error", "worker", "date_done", "traceback"]
    readonly_fields = ["error"]

    @admin.display(description="Error")
    def error(self, row: TaskResult) -> str:
        """Return the error's name and first words."""
        try:
            result = json.loads(row.result or "{}")
            words = " ".join(str(word) for word in result["exc_message"])
            return f"{result['exc_type']}: {words}"[:120]
        except (KeyError, TypeError, ValueError):
            return EMPTY
