"""What operators see of people who share an account: no key, no token, no signature."""

from __future__ import annotations

from django.contrib import admin

from onchain.admin_base import ChainAdminBase
from onchain.models import (
    Contact,
    Formation,
    Invitation,
    Membership,
    Reminder,
    Seat,
    WalletProof,
)


@admin.register(Membership)
class MembershipAdmin(ChainAdminBase):
    """Who approves or looks at an account without owning it."""

    list_display = ["safe", "user", "role", "created_at", "ended_at"]
    list_filter = ["role", "created_at", "ended_at"]
    list_select_related = ["safe", "user"]
    search_fields = ["safe__name", "user__name"]
    address_search = ("safe__address",)


@admin.register(Invitation)
class InvitationAdmin(ChainAdminBase):
    """Links that ask somebody to join an account."""

    list_display = ["id", "safe", "role", "name", "status", "created_at", "expires_at"]
    list_filter = ["status", "role", "created_at"]
    list_select_related = ["safe"]
    search_fields = ["name", "safe__name", "created_by__name", "accepted_by__name"]
    address_search = ("address", "safe__address")
    exclude = ["token_hash"]


@admin.register(Formation)
class FormationAdmin(ChainAdminBase):
    """Accounts whose first owners have yet to confirm each other."""

    list_display = ["id", "name", "created_by", "threshold", "status", "created_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["created_by"]
    search_fields = ["name", "created_by__name"]
    address_search = ("safe__address",)
    exclude = ["network_hash", "creation_key"]


@admin.register(Seat)
class SeatAdmin(ChainAdminBase):
    """Places on their lists of owners."""

    list_display = ["id", "formation", "position", "kind", "address", "holder"]
    list_filter = ["kind", "is_proof_waived"]
    list_select_related = ["formation", "holder"]
    search_fields = ["formation__name", "holder__name"]
    address_search = ("address",)


@admin.register(WalletProof)
class WalletProofAdmin(ChainAdminBase):
    """Proofs of wallets."""

    list_display = ["id", "address", "role", "status", "created_at", "expires_at"]
    list_filter = ["status", "role", "created_at"]
    list_select_related = ["safe", "user"]
    search_fields = ["safe__name", "user__name"]
    address_search = ("address", "safe__address")
    exclude = ["signature", "nonce", "text"]


@admin.register(Reminder)
class ReminderAdmin(ChainAdminBase):
    """Who was reminded of an approval."""

    list_display = ["operation", "user", "sent_by", "day"]
    list_filter = ["day"]
    list_select_related = ["operation", "user", "sent_by"]
    search_fields = ["user__name", "sent_by__name"]


@admin.register(Contact)
class ContactAdmin(ChainAdminBase):
    """Names for addresses."""

    list_display = ["name", "address", "safe", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["safe"]
    search_fields = ["name", "safe__name"]
    address_search = ("address", "safe__address")
