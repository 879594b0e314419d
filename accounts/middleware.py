"""What every request does to its session and its browser."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from accounts.session_store import SessionStore
from accounts.sign_in import keep_browser_cookie

Handler = Callable[[HttpRequest], HttpResponse]


class PresenceMiddleware:
    """Move the idle limit when a person does something; polling is not doing (R14).

    Stands inside SessionMiddleware. It asks no question of its own: what is noted is
    the session that the request has loaded anyway.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(request.session, SessionStore) and not is_polling(request):
            # The answer is made: a database that is busy now must not take it back.
            with suppress(DatabaseError):
                request.session.touch()
        keep_browser_cookie(request, response)
        return response


def is_polling(request: HttpRequest) -> bool:
    """Say whether a page asked by itself: htmx fetching a fragment, a script asking."""
    if getattr(request, "asked_by_script", False):
        return True
    return request.method in {"GET", "HEAD"} and bool(getattr(request, "htmx", False))
