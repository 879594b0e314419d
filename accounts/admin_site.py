"""The operators' console: Django's admin, opened with a passkey and only for reading.

There is no password anywhere: the login page offers the authentication ceremony, and
the addresses of Django's password pages answer 404.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.forms import is_local_path


def no_such_page(request: HttpRequest) -> HttpResponse:
    """Answer 404, to everybody: there is no password to change."""
    raise Http404


class ReadOnlyAdmin(admin.ModelAdmin):
    """A model that operators search, filter and read, and nobody changes (R26)."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        """Nobody adds rows here."""
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Nobody changes rows here."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Nobody deletes rows here."""
        return False


class PasskeyAdminSite(admin.AdminSite):
    """The admin without passwords."""

    site_header = "Latchkey console"
    site_title = "Latchkey console"
    index_title = "Everything, to look at"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return the admin's addresses, the password pages answering 404 to anybody."""
        gone: list[URLPattern | URLResolver] = [
            path("password_change/", no_such_page),
            path("password_change/done/", no_such_page),
        ]
        return gone + super().get_urls()

    @method_decorator([never_cache, require_GET])
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer the passkey ceremony; who may already enter is sent on."""
        index = reverse("admin:index", current_app=self.name)
        target = request.GET.get(REDIRECT_FIELD_NAME, "")
        if not is_local_path(target):
            target = index
        if self.has_permission(request):
            return redirect(index)
        context = {
            **self.each_context(request),
            "title": "Sign in",
            "next": target,
            **(extra_context or {}),
        }
        request.current_app = self.name
        return render(request, "admin/login.html", context)

    @method_decorator([never_cache, require_POST])
    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """End the session and return to the login page."""
        logout(request)
        return redirect("admin:login")
