"""What operators see of rehearsals of recoveries; nothing is theirs to write."""

from __future__ import annotations

from django.contrib import admin

from onchain.admin_base import ChainAdminBase
from onchain.models import DrillAnswer, RecoveryDrill


@admin.register(RecoveryDrill)
class RecoveryDrillAdmin(ChainAdminBase):
    """Who asked which guardians to show that they can sign."""

    list_display = ["id", "safe", "started_by", "state", "asked_at", "answered"]
    list_filter = ["status", "asked_at"]
    list_select_related = ["safe", "started_by"]
    search_fields = ["safe__name", "started_by__name"]
    address_search = ("safe__address", "module")
    exclude = ["status", "token_hash"]
    readonly_fields = ["state"]


@admin.register(DrillAnswer)
class DrillAnswerAdmin(ChainAdminBase):
    """What guardians answered."""

    list_display = ["id", "guardian", "kind", "user", "state", "created_at"]
    list_filter = ["status", "kind", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__name"]
    address_search = ("guardian", "drill__safe__address")
    exclude = ["signature", "status"]
    readonly_fields = ["state"]
