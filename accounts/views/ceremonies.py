"""The ceremonies over HTTP, and signing out."""

from __future__ import annotations

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import ceremonies, rate_limits, services
from accounts.answers import (
    ensure_session,
    options,
    person,
    refusal,
    refusal_json,
    see_other,
    wants_json,
)
from accounts.client_address import client_network
from accounts.errors import AlreadySignedIn, CeremonyFailed
from accounts.forms import CeremonyForm
from accounts.options import aimed_at
from accounts.sign_in import sign_in
from accounts.views.sessions import session_state


@require_POST
def registration_begin(request: HttpRequest) -> HttpResponse:
    """Answer the options of a registration."""
    try:
        if person(request) is not None:
            raise AlreadySignedIn
        rate_limits.count_begin(request)
    except CeremonyFailed as error:
        return refusal_json(error)
    asked = ceremonies.begin_registration(session_key=ensure_session(request))
    return options(aimed_at(asked, request.POST.get("hint", "")))


@require_POST
def registration_finish(request: HttpRequest) -> HttpResponse:
    """Make a person and sign them in."""
    form = CeremonyForm(request.POST)
    try:
        if person(request) is not None:
            raise AlreadySignedIn
        with rate_limits.answering(request):
            registered = services.register(
                response=form.response(),
                session_key=request.session.session_key,
                network=client_network(request),
                is_passkey_only=form.wants_passkey_only(),
            )
    except CeremonyFailed as error:
        return refusal(request, error)
    sign_in(
        request,
        user=registered.user,
        credential=registered.credential,
        is_this_device=registered.is_this_device,
    )
    return see_other(request, registered.url or form.next_path() or reverse("home"))


@require_POST
def authentication_begin(request: HttpRequest) -> HttpResponse:
    """Answer the options of an authentication."""
    try:
        rate_limits.count_begin(request)
    except CeremonyFailed as error:
        return refusal_json(error)
    asked = ceremonies.begin_authentication(
        session_key=ensure_session(request), user=person(request)
    )
    return options(aimed_at(asked, request.POST.get("hint", "")))


@require_POST
def authentication_finish(request: HttpRequest) -> HttpResponse:
    """Sign in the person whose passkey answered."""
    form = CeremonyForm(request.POST)
    try:
        with rate_limits.answering(request):
            signed_in = services.authenticate(
                response=form.response(),
                session_key=request.session.session_key,
                user=person(request),
            )
    except CeremonyFailed as error:
        return refusal(request, error, way_back=form.next_path())
    sign_in(
        request,
        user=signed_in.user,
        credential=signed_in.credential,
        is_cross_device=signed_in.is_cross_device,
        is_this_device=signed_in.is_this_device,
    )
    if wants_json(request):
        return session_state(request)
    landing = reverse("admin:index" if signed_in.user.is_staff else "home")
    return see_other(request, form.next_path() or landing)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    logout(request)
    return see_other(request, reverse("home"))
