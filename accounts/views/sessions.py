"""A person's sessions: how long this one holds, and ending the others (R14)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts import session_list
from accounts.answers import person
from accounts.browsers import browser_name
from accounts.session_store import stored

PAGE = "passkeys"  # where the list of sessions stands


@require_GET
def session(request: HttpRequest) -> HttpResponse:
    """Say for how long this session still holds, without making it last longer."""
    request.asked_by_script = True  # type: ignore[attr-defined]
    return session_state(request, is_use=False)


@require_POST
def session_extend(request: HttpRequest) -> HttpResponse:
    """Stay signed in: being asked is all it takes."""
    return session_state(request)


@require_POST
def session_end(request: HttpRequest) -> HttpResponse:
    """End another session of the person, or answer 404 as for somebody else's."""
    user = person(request)
    if user is None:
        return redirect_to_login(reverse(PAGE))
    try:
        named = uuid.UUID(request.POST.get("session", ""))
    except ValueError:
        raise Http404 from None
    if named == this_session(request):
        logout(request)
        return redirect("home")
    if not session_list.end(user=user, session=named):
        raise Http404
    messages.success(request, "That browser is signed out.")
    return redirect(PAGE)


@require_POST
def session_end_others(request: HttpRequest) -> HttpResponse:
    """End every session of the person but this one."""
    user = person(request)
    if user is None:
        return redirect_to_login(reverse(PAGE))
    count = session_list.end_others(
        user=user,
        keep=this_session(request),
        browser=browser_name(request.headers.get("User-Agent", "")),
    )
    if count:
        messages.success(request, "Every other browser is signed out.")
    else:
        messages.info(request, "No other browser was signed in.")
    return redirect(PAGE)


def session_state(request: HttpRequest, *, is_use: bool = True) -> HttpResponse:
    """Answer who is signed in and for how long, with the token that forms need now.

    401 when nobody is. Whoever has no token yet gets none: asking leaves no cookie.
    """
    user = person(request)
    has_token = user is not None or settings.CSRF_COOKIE_NAME in request.COOKIES
    state = {
        "user": None if user is None else user.name,
        "seconds_left": stored(request).seconds_left(is_use=is_use) if user else 0,
        "csrf": get_token(request) if has_token else "",
    }
    headers = {"Cache-Control": "no-store"}
    return JsonResponse(state, status=200 if user else 401, headers=headers)


def this_session(request: HttpRequest) -> uuid.UUID | None:
    """Return what names the session of this request in the list."""
    return stored(request).row_id
