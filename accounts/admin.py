"""What operators see of people, passkeys and ceremonies: read-only, no secrets."""

from __future__ import annotations

from django.contrib import admin

# Django registers its groups in the import below; they mean nothing here.
from django.contrib.auth import admin as auth_admin  # noqa: F401
from django.contrib.auth.models import Group

from accounts.admin_site import ReadOnlyAdmin
from accounts.models import Ceremony, Credential, Enrolment, User

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People and operators."""

    list_display = ["name", "is_staff", "is_active", "created_at"]
    list_filter = ["is_staff", "is_active", "created_at"]
    search_fields = ["name"]
    fields = [
        "name",
        "is_staff",
        "is_active",
        "session_epoch",
        "user_handle_text",
        "created_at",
    ]
    readonly_fields = ["user_handle_text", "created_at"]

    @admin.display(description="User handle")
    def user_handle_text(self, user: User) -> str:
        """Return the handle as hex."""
        return str(user.user_handle.hex())


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
        "credential_id_text",
        "public_key_x_text",
        "public_key_y_text",
        "aaguid",
        "transports",
        "backup_eligible",
        "backup_state",
        "sign_count",
        "created_at",
        "last_used_at",
    ]
    readonly_fields = [
        "user",
        "credential_id_text",
        "public_key_x_text",
        "public_key_y_text",
        "created_at",
    ]

    @admin.display(description="Credential id")
    def credential_id_text(self, credential: Credential) -> str:
        """Return the id as hex."""
        return str(credential.credential_id.hex())

    @admin.display(description="Public key, x")
    def public_key_x_text(self, credential: Credential) -> str:
        """Return x as hex."""
        return f"0x{credential.public_key_x.hex()}"

    @admin.display(description="Public key, y")
    def public_key_y_text(self, credential: Credential) -> str:
        """Return y as hex."""
        return f"0x{credential.public_key_y.hex()}"


@admin.register(Ceremony)
class CeremonyAdmin(ReadOnlyAdmin):
    """Open challenges; neither the challenge nor the session is shown (R40)."""

    list_display = ["pk", "purpose", "user", "created_at", "expires_at"]
    list_filter = ["purpose", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__name", "purpose"]
    fields = ["purpose", "user", "enrolment", "created_at", "expires_at"]
    readonly_fields = ["created_at"]


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin):
    """Operators' links; the token exists only where it was printed."""

    list_display = [
        "operator_name",
        "is_replacement",
        "created_at",
        "expires_at",
        "used_at",
    ]
    list_filter = ["is_replacement", "created_at", "used_at"]
    search_fields = ["operator_name"]
    fields = [
        "operator_name",
        "is_replacement",
        "created_at",
        "expires_at",
        "used_at",
    ]
    readonly_fields = ["created_at"]
