"""The operators' console: Django's admin, opened with a passkey and only for reading.

There is no password anywhere: the login page offers the authentication ceremony, and
the addresses of Django's password pages answer 404.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.db.models import (
    BinaryField,
    BooleanField,
    DateTimeField,
    Field,
    Model,
    QuerySet,
)
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.admin_display import EMPTY, HEX, MOMENT, WORD, Column, Format
from accounts.forms import is_local_path

SEARCH_CHARACTERS = 200  # more than any name or hash; thousands of words break SQLite


def no_such_page(request: HttpRequest) -> HttpResponse:
    """Answer 404, to everybody: there is no password to change."""
    raise Http404


class ReadOnlyAdmin(admin.ModelAdmin):
    """A model that operators search, filter and read, and nobody changes (R26).

    Every field is shown unless it is excluded, printed in its format: short in the
    list, whole on the page of its row.
    """

    show_full_result_count = False
    list_per_page = 50
    empty_value_display = EMPTY

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self.short_columns: dict[object, Column] = {}
        self.full_columns: dict[object, Column] = {}
        self.help_texts: dict[str, str] = {}
        for field in self.opts.fields:
            kind = self.format_of(field)
            if kind is None:
                continue
            self.short_columns[field.name] = Column(field, kind.short, unit=kind.unit)
            self.full_columns[field.name] = Column(field, kind.full, unit=kind.unit)
            if kind.help is not None:
                self.help_texts[field.name] = kind.help

    def format_of(self, field: Field[Any, Any]) -> Format | None:
        """Return how a field is printed; None leaves it to Django."""
        kinds = {DateTimeField: MOMENT, BinaryField: HEX, BooleanField: WORD}
        found = (kinds[kind] for kind in kinds if isinstance(field, kind))
        return next(found, None)

    def get_form(
        self,
        request: HttpRequest,
        obj: Model | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Return the form with help texts that fit what is printed."""
        kwargs.setdefault("help_texts", self.help_texts)
        return super().get_form(request, obj, change, **kwargs)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the list under its own name."""
        title = {"title": capfirst(str(self.opts.verbose_name_plural))}
        return super().changelist_view(request, title | (extra_context or {}))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns of the list, each in its short format."""
        columns = super().get_list_display(request)
        return [self.short_columns.get(name, name) for name in columns]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Return the chosen fields, by default all but the excluded ones."""
        if self.fields:
            return list(self.fields)
        excluded = set(self.get_exclude(request, obj) or ())
        names = [field.name for field in self.opts.fields if not field.primary_key]
        names += [x for x in self.get_readonly_fields(request, obj) if x not in names]
        return [name for name in names if name not in excluded]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the fields in groups, each in its full format."""
        return [
            (
                title,
                options
                | {"fields": [self.full_columns.get(x, x) for x in options["fields"]]},
            )
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by words; what is too long to be anything finds nothing."""
        if len(search_term) > SEARCH_CHARACTERS:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

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
