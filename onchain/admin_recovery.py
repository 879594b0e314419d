"""What operators see of recovery with guardians; nothing of it is theirs to write."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_display import badge
from onchain.admin_base import ChainAdminBase
from onchain.models import (
    AlertContact,
    Guardian,
    ModuleCode,
    RecoveryRequest,
    RecoverySetup,
    UnwarnedAcknowledgement,
)
from onchain.protocol.types import Bytes32
from onchain.services import module_codes
from onchain.views.access import person


@admin.register(RecoverySetup)
class RecoverySetupAdmin(ChainAdminBase):
    """Which modules may replace an account's owners."""

    list_display = ["id", "account", "module", "enabled", "threshold", "read_block"]
    list_filter = ["is_enabled"]
    list_select_related = ["safe"]
    search_fields = ["safe__name"]
    address_search = ("module", "safe__address")

    @admin.display(description="On chain", ordering="is_enabled")
    def enabled(self, row: RecoverySetup) -> object:
        """Say whether the account has it enabled."""
        return badge("Enabled", "good") if row.is_enabled else badge("Off", "quiet")


@admin.register(Guardian)
class GuardianAdmin(ChainAdminBase):
    """Who may approve a recovery."""

    list_display = ["address", "kind", "setup", "on_chain", "proven_at"]
    list_filter = ["is_current", "kind", "proven_at"]
    list_select_related = ["setup"]
    search_fields = ["setup__safe__name", "credential__user__name"]
    address_search = ("address", "setup__safe__address")

    @admin.display(description="On chain", ordering="is_current")
    def on_chain(self, row: Guardian) -> object:
        """Say whether the module has it among the guardians."""
        return badge("Guardian", "good") if row.is_current else badge("Gone", "quiet")


@admin.register(RecoveryRequest)
class RecoveryRequestAdmin(ChainAdminBase):
    """Recoveries that guardians started on chain."""

    list_display = ["id", "setup", "state", "approvals", "execute_after", "seen_at"]
    list_filter = ["status", "seen_at"]
    list_select_related = ["setup"]
    search_fields = ["setup__safe__name"]
    address_search = ("setup__safe__address",)
    exclude = ["new_owners_hash", "status"]
    readonly_fields = ["state"]


@admin.register(AlertContact)
class AlertContactAdmin(ChainAdminBase):
    """Who outside this site is warned when a recovery begins."""

    list_display = ["id", "safe", "outsider", "created_by", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["safe", "outsider", "created_by"]
    search_fields = ["safe__name", "outsider__name", "outsider__address"]
    address_search = ("safe__address",)


@admin.register(UnwarnedAcknowledgement)
class UnwarnedAcknowledgementAdmin(ChainAdminBase):
    """Who said that nobody can warn them."""

    list_display = ["id", "safe", "user", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["safe", "user"]
    search_fields = ["safe__name", "user__name"]
    address_search = ("safe__address",)


@admin.register(ModuleCode)
class ModuleCodeAdmin(ChainAdminBase):
    """What code two nodes gave for a recovery module; an operator compares it."""

    actions = ["confirm_code"]
    list_display = ["module", "chain", "code_hash", "use", "confirmed_by", "changed_at"]
    list_filter = ["read_at"]
    list_select_related = ["chain", "confirmed_by"]
    search_fields = ["confirmed_by__name"]
    address_search = ("module",)

    @admin.display(description="Use", ordering="confirmed_at")
    def use(self, row: ModuleCode) -> object:
        """Say whether accounts may be given it."""
        if row.confirmed_at is None:
            return badge("Waits for you", "bad")
        if row.changed_at is not None:
            return badge("Other code: what touches it is stopped", "bad")
        return badge("Confirmed", "good")

    @admin.action(description="Confirm this code", permissions=["view"])
    def confirm_code(self, request: HttpRequest, rows: QuerySet[ModuleCode]) -> None:
        """Let accounts be given the chosen modules; the journal names who said so."""
        changed = sum(
            module_codes.confirm(
                row=row, code_hash=Bytes32(row.code_hash), actor=person(request)
            )
            for row in rows
        )
        words = f"Confirmed: {changed}." if changed else "It was so before."
        level = messages.SUCCESS if changed else messages.WARNING
        messages.add_message(request, level, words)
