"""What operators see of claims to recover accounts; nothing is theirs to write."""

from __future__ import annotations

from django.contrib import admin

from onchain.admin_base import ChainAdminBase, FailureFilter
from onchain.models import (
    AccountClaim,
    GuardianApproval,
    RecoveryClaim,
    RecoveryLookup,
    RecoveryNickname,
)


@admin.register(RecoveryClaim)
class RecoveryClaimAdmin(ChainAdminBase):
    """Who asks for accounts."""

    list_display = ["id", "user", "credential", "wallet", "expires_at", "withdrawn_at"]
    list_filter = ["expires_at", "withdrawn_at"]
    list_select_related = ["user", "credential"]
    search_fields = ["user__name"]
    address_search = ("wallet",)
    exclude = ["token_hash"]


@admin.register(AccountClaim)
class AccountClaimAdmin(ChainAdminBase):
    """How far each account of a claim is."""

    list_display = ["id", "safe", "claim", "state", "failure_code", "execute_after"]
    list_filter = ["status", ("failure_code", FailureFilter), "created_at"]
    list_select_related = ["safe", "claim"]
    search_fields = ["safe__name", "claim__user__name", "failure_code"]
    address_search = ("safe__address", "new_signer", "module")
    hash_search = ("recovery_hash",)
    exclude = ["status"]
    readonly_fields = ["state"]


@admin.register(GuardianApproval)
class GuardianApprovalAdmin(ChainAdminBase):
    """What guardians signed."""

    list_display = ["id", "guardian", "kind", "user", "state", "created_at"]
    list_filter = ["status", "kind", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__name"]
    address_search = ("guardian", "account_claim__safe__address")
    exclude = ["signature", "status"]
    readonly_fields = ["state"]


@admin.register(RecoveryLookup)
class RecoveryLookupAdmin(ChainAdminBase):
    """Which accounts were looked up, by whomever."""

    list_display = ["address", "state", "failure_code", "asked_at", "chain"]
    list_filter = ["status", ("failure_code", FailureFilter), "asked_at"]
    list_select_related = ["chain"]
    search_fields = ["failure_code"]
    address_search = ("address",)
    exclude = ["status"]
    readonly_fields = ["state"]


@admin.register(RecoveryNickname)
class RecoveryNicknameAdmin(ChainAdminBase):
    """By which names accounts are found."""

    list_display = ["name", "safe", "chosen_by", "created_at", "removed_at"]
    list_filter = ["created_at", "removed_at"]
    list_select_related = ["safe", "chosen_by"]
    search_fields = ["name", "safe__name", "chosen_by__name"]
    address_search = ("safe__address",)
