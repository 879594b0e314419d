"""What operators see of accounts that were made elsewhere."""

from __future__ import annotations

from django.contrib import admin

from onchain.admin_base import ChainAdminBase
from onchain.models import (
    AccountLookup,
    ConfigurationAcknowledgement,
    ForeignConfiguration,
)


@admin.register(AccountLookup)
class AccountLookupAdmin(ChainAdminBase):
    """Questions about accounts made elsewhere."""

    list_display = ["id", "address", "user", "status", "failure_code", "asked_at"]
    list_filter = ["status", "failure_code", "asked_at"]
    list_select_related = ["user"]
    search_fields = ["user__name"]
    address_search = ("address",)


@admin.register(ForeignConfiguration)
class ForeignConfigurationAdmin(ChainAdminBase):
    """What has power over accounts beside their owners."""

    list_display = ["safe", "findings", "block_number"]
    list_filter = ["safe__chain"]
    list_select_related = ["safe"]
    search_fields = ["safe__name"]
    address_search = ("safe__address",)
    exclude = ["seen_hash"]


@admin.register(ConfigurationAcknowledgement)
class ConfigurationAcknowledgementAdmin(ChainAdminBase):
    """Who has seen that."""

    list_display = ["safe", "user", "acknowledged_at"]
    list_filter = ["acknowledged_at"]
    list_select_related = ["safe", "user"]
    search_fields = ["safe__name", "user__name"]
    address_search = ("safe__address",)
    exclude = ["seen_hash"]
