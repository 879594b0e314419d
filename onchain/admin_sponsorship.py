"""What operators see of the sponsor: what it promised, and what it can pay from."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_display import badge
from onchain.admin_base import ChainAdminBase
from onchain.models import PaymasterDeposit, Sponsorship


@admin.register(Sponsorship)
class SponsorshipAdmin(ChainAdminBase):
    """Operations that the sponsor signed for."""

    list_display = [
        "id",
        "operation",
        "account",
        "pool",
        "reserved_wei",
        "paid_wei",
        "paid_at",
        "created_at",
    ]
    list_filter = ["pool", "created_at", "paid_at"]
    list_select_related = ["operation", "safe"]
    search_fields = ["safe__name", "sponsor_name"]
    address_search = ("safe__address", "operation__paymaster")
    hash_search = ("operation__user_operation_hash",)


@admin.register(PaymasterDeposit)
class PaymasterDepositAdmin(ChainAdminBase):
    """The operator's paymaster, as it was last read from the chain."""

    list_display = ["address", "deposit_wei", "owner", "verdict", "read_at"]
    list_filter = ["accepts_our_key"]
    search_fields = ["problem"]
    address_search = ("address", "owner", "verifying_signer")
    readonly_fields = ["verdict"]

    @admin.display(description="State")
    def verdict(self, row: PaymasterDeposit) -> object:
        """Say whether an operator has to look."""
        return badge("Look", "bad") if row.problem else badge("In order", "good")
