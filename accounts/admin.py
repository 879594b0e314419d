"""What operators see of people, passkeys and ceremonies: read-only, no secrets."""

from __future__ import annotations

from django.contrib import admin

# Django registers its groups in the import below; they mean nothing here.
from django.contrib.auth import admin as auth_admin  # noqa: F401
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.admin_display import badge
from accounts.admin_site import ReadOnlyAdmin
from accounts.models import Ceremony, Credential, Enrolment, User

LINK_TIMES = ["created_at", "expires_at", "used_at"]

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People and operators."""

    list_display = ["name", "role", "access", "created_at"]
    list_filter = ["is_staff", "is_active", "created_at"]
    search_fields = ["name"]
    fields = [
        "name",
        "is_staff",
        "is_active",
        "session_epoch",
        "user_handle",
        "created_at",
    ]

    @admin.display(description="Role", ordering="is_staff")
    def role(self, user: User) -> object:
        """Say who may enter the console."""
        return badge("Operator", "busy") if user.is_staff else badge("Person", "quiet")

    @admin.display(description="Access", ordering="is_active")
    def access(self, user: User) -> object:
        """Say who may sign in."""
        return badge("Active", "good") if user.is_active else badge("Shut out", "bad")


@admin.register(Credential)
class CredentialAdmin(ReadOnlyAdmin):
    """Public halves of passkeys."""

    list_display = [
        "pk",
        "user",
        "name",
        "aaguid",
        "backup_eligible",
        "backup_state",
        "sign_count",
        "created_at",
        "last_used_at",
    ]
    list_filter = ["backup_eligible", "backup_state", "created_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["user__name", "name", "aaguid"]
    fields = [
        "user",
        "name",
        "credential_id",
        "public_key_x",
        "public_key_y",
        "aaguid",
        "transports",
        "backup_eligible",
        "backup_state",
        "sign_count",
        "created_at",
        "last_used_at",
    ]


@admin.register(Ceremony)
class CeremonyAdmin(ReadOnlyAdmin):
    """Open challenges; neither the challenge nor the session is shown (R40)."""

    list_display = ["pk", "purpose", "user", "created_at", "expires_at"]
    list_filter = ["purpose", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__name", "purpose"]
    fields = ["purpose", "user", "enrolment", "created_at", "expires_at"]


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin):
    """Operators' links; the token exists only where it was printed."""

    list_display = ["operator_name", "state", "is_replacement", *LINK_TIMES]
    list_filter = ["is_replacement", "created_at", "used_at"]
    search_fields = ["operator_name"]
    fields = ["operator_name", "state", "is_replacement", *LINK_TIMES]
    readonly_fields = ["state"]

    @admin.display(description="State")
    def state(self, enrolment: Enrolment) -> object:
        """Say whether the link still opens."""
        if enrolment.used_at is not None:
            return badge("Used", "good")
        if enrolment.expires_at <= timezone.now():
            return badge("Expired", "quiet")
        return badge("Open", "busy")
