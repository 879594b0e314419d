"""What operators see of people, passkeys and ceremonies: read-only, no secrets."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

# Django registers its groups in the import below; they mean nothing here.
from django.contrib.auth import admin as auth_admin  # noqa: F401
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin_display import badge
from accounts.admin_site import ReadOnlyAdmin
from accounts.models import (
    Ceremony,
    Credential,
    EmailAddress,
    Enrolment,
    KnownBrowser,
    OutgoingMail,
    Outsider,
    SecurityEvent,
    Session,
    User,
)
from accounts.provider_kinds import (
    ProviderKind,
    credentials_of,
    explanation,
    kind_of,
)
from accounts.providers import provider_name

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


class ProviderKindFilter(admin.SimpleListFilter):
    """What the provider says that it is (product.md L-15)."""

    title = "what the provider says it is"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer every kind."""
        return [(kind.value, str(kind.label)) for kind in ProviderKind]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        """Keep the passkeys of one kind."""
        kind = self.value()
        if kind is None or kind not in ProviderKind.values:
            return queryset
        return queryset.filter(credentials_of(ProviderKind(kind)))


@admin.register(Credential)
class CredentialAdmin(ReadOnlyAdmin):
    """Public halves of passkeys."""

    list_display = [
        "pk",
        "user",
        "name",
        "provider",
        "kind",
        "backup_eligible",
        "backup_state",
        "sign_count",
        "created_at",
        "last_used_at",
    ]
    list_filter = [
        ProviderKindFilter,
        "backup_eligible",
        "backup_state",
        "created_at",
        "last_used_at",
    ]
    list_select_related = ["user"]
    search_fields = ["user__name", "name", "aaguid"]
    fields = [
        "user",
        "name",
        "credential_id",
        "public_key_x",
        "public_key_y",
        "provider",
        "kind",
        "what_is_known",
        "aaguid",
        "transports",
        "backup_eligible",
        "backup_state",
        "sign_count",
        "flags",
        "created_at",
        "last_used_at",
        "last_signed_at",
        "removed_at",
    ]
    readonly_fields = ["provider", "kind", "what_is_known"]

    @admin.display(description="Provider", ordering="aaguid")
    def provider(self, credential: Credential) -> str:
        """Name the provider by its AAGUID, which nobody has checked."""
        return provider_name(credential.aaguid)

    @admin.display(description="It says it is", ordering="aaguid")
    def kind(self, credential: Credential) -> object:
        """Flag software, and what does not say that it is none."""
        kind = kind_of(credential.aaguid)
        tone = "quiet" if kind == ProviderKind.LISTED else "busy"
        return badge(kind.label, tone)

    @admin.display(description="What is known")
    def what_is_known(self, credential: Credential) -> str:
        """Say what the AAGUID and the flags claim."""
        return explanation(
            aaguid=credential.aaguid, backup_eligible=credential.backup_eligible
        )


@admin.register(Ceremony)
class CeremonyAdmin(ReadOnlyAdmin):
    """Open challenges; neither the challenge nor the session is shown (R40)."""

    list_display = ["pk", "purpose", "user", "created_at", "expires_at"]
    list_filter = ["purpose", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__name", "purpose"]
    fields = [
        *("purpose", "user", "enrolment", "action", "target"),
        *("created_at", "expires_at"),
    ]


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


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Who is signed in where; neither the key nor the data is shown (R40)."""

    list_display = ["id", "user", "browser", "signed_in_at", "last_seen_at"]
    list_filter = ["signed_in_at", "last_seen_at", "is_cross_device"]
    list_select_related = ["user"]
    search_fields = ["user__name", "browser"]
    fields = [
        *("user", "credential", "is_cross_device", "browser"),
        *("signed_in_at", "last_seen_at", "expires_at"),
    ]


@admin.register(KnownBrowser)
class KnownBrowserAdmin(ReadOnlyAdmin):
    """Browsers that signed somebody in before."""

    list_display = ["pk", "user", "browser", "first_seen_at", "last_seen_at"]
    list_filter = ["first_seen_at", "last_seen_at"]
    list_select_related = ["user"]
    search_fields = ["user__name", "browser"]
    fields = ["user", "browser", "first_seen_at", "last_seen_at"]


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    """What people were told about their keys and sessions."""

    list_display = ["pk", "kind", "user", "detail", "browser", "created_at"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__name", "detail"]
    fields = ["kind", "user", "detail", "browser", "created_at"]


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """Where alerts go; the link's token exists only in the mail."""

    list_display = ["pk", "user", "address", "status", "created_at", "effective_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__name", "address"]
    fields = [
        *("user", "address", "status", "token_expires_at", "created_at"),
        *("verified_at", "effective_at", "ends_at"),
    ]


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """Mails that wait, were sent, or could not be."""

    list_display = [
        *("pk", "to", "outsider", "kind", "status", "attempts", "created_at"),
        "sent_at",
    ]
    list_filter = ["status", "kind", "created_at"]
    list_select_related = ["to__user", "outsider"]
    search_fields = ["to__user__name", "to__address", "outsider__address"]
    fields = [
        *("to", "outsider", "kind", "event", "notice", "detail", "status"),
        *("attempts", "lease_until", "created_at", "sent_at"),
    ]


@admin.register(Outsider)
class OutsiderAdmin(ReadOnlyAdmin):
    """Who agreed to be warned without having a wallet here."""

    list_display = ["pk", "name", "address", "about", "status", "created_at"]
    list_filter = ["status", "created_at"]
    search_fields = ["name", "address", "about"]
    fields = [
        *("name", "address", "about", "status", "token_expires_at", "created_at"),
        "answered_at",
    ]
