"""What operators see of ether that accounts received."""

from __future__ import annotations

from django.contrib import admin

from onchain.admin_base import ChainAdminBase
from onchain.models import Transfer


@admin.register(Transfer)
class TransferAdmin(ChainAdminBase):
    """Ether that arrived, as the blocks say."""

    list_display = [
        "received_at",
        "account",
        "value_wei",
        "sender",
        "block_number",
        "transaction_hash",
    ]
    list_filter = ["received_at", "chain"]
    list_select_related = ["safe"]
    search_fields = ["safe__name"]
    address_search = ("sender", "safe__address")
    hash_search = ("transaction_hash",)
