"""Headers and limits that hold for every request."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from django_structlog.middlewares import RequestMiddleware

Handler = Callable[[HttpRequest], HttpResponse]

PERMISSIONS_POLICY = ", ".join(
    [
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
        "clipboard-write=(self)",
        "camera=()",
        "geolocation=()",
        "microphone=()",
        "payment=()",
        "usb=()",
    ]
)
# Every script names its hash, or does not load. Without this a browser (Chromium 156)
# fetches a module whose preload link failed its hash once more, unchecked (R27).
INTEGRITY_POLICY = "blocked-destinations=(script)"
ADMIN = "/admin/"  # Django's own pages there name no hashes, and sign nothing


class PrivacyHeadersMiddleware:
    """Permissions-Policy everywhere; no-store for every page of a signed-in person."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        if not request.path.startswith(ADMIN):
            response["Integrity-Policy"] = INTEGRITY_POLICY
        if _may_be_signed_in(request):
            response["Cache-Control"] = "no-store"
        return response


def _may_be_signed_in(request: HttpRequest) -> bool:
    """Whether the page may be a person's; yes, while no database can tell."""
    try:
        user = getattr(request, "user", None)
        return user is not None and user.is_authenticated
    except DatabaseError:
        return True


class BodyLimitMiddleware:
    """Refuse bodies that are larger than anything a person can mean (R36)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = settings.BODY_LIMIT
        if request.path.startswith("/passkeys/"):
            limit = settings.CEREMONY_BODY_LIMIT
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = limit + 1
        if length > limit:
            text = f"This request is too large. The limit is {limit // 1024} KiB.\n"
            return HttpResponse(text, status=413, content_type="text/plain")
        return self.get_response(request)


class RequestLogMiddleware(RequestMiddleware):
    """One line for each request: who, what, how it ended (R40)."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Return method and path; a query string may hold what somebody typed."""
        return f"{request.method} {escape_uri_path(request.path)}"

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        """Name the person, unless the database that knows is what just failed."""
        with suppress(DatabaseError):
            RequestMiddleware.bind_user_id(request)
