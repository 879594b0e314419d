"""The ceremonies over HTTP, and signing out."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import ceremonies, services
from accounts.answers import (
    ensure_session,
    options,
    person,
    refusal,
    refusal_json,
    see_other,
)
from accounts.errors import AlreadySignedIn, CeremonyFailed
from accounts.forms import CeremonyForm


@require_POST
def registration_begin(request: HttpRequest) -> HttpResponse:
    """Answer the options of a registration."""
    if person(request) is not None:
        return refusal_json(AlreadySignedIn())
    session_key = ensure_session(request)
    return options(ceremonies.begin_registration(session_key=session_key))


@require_POST
def registration_finish(request: HttpRequest) -> HttpResponse:
    """Make a person and sign them in."""
    form = CeremonyForm(request.POST)
    try:
        if person(request) is not None:
            raise AlreadySignedIn
        registered = services.register(
            response=form.response(), session_key=request.session.session_key
        )
    except CeremonyFailed as error:
        return refusal(request, error)
    login(request, registered.user)
    return see_other(request, registered.url)


@require_POST
def authentication_begin(request: HttpRequest) -> HttpResponse:
    """Answer the options of an authentication."""
    session_key = ensure_session(request)
    return options(
        ceremonies.begin_authentication(session_key=session_key, user=person(request))
    )


@require_POST
def authentication_finish(request: HttpRequest) -> HttpResponse:
    """Sign in the person whose passkey answered."""
    form = CeremonyForm(request.POST)
    try:
        user = services.authenticate(
            response=form.response(),
            session_key=request.session.session_key,
            user=person(request),
        )
    except CeremonyFailed as error:
        return refusal(request, error, way_back=form.next_path())
    login(request, user)
    landing = reverse("admin:index" if user.is_staff else "home")
    return see_other(request, form.next_path() or landing)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    logout(request)
    return see_other(request, reverse("home"))
