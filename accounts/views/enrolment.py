"""The page of an operator's link, and the ceremony behind it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import ceremonies, enrolments, rate_limits
from accounts.answers import (
    ensure_session,
    kept_private,
    options,
    person,
    refusal,
    refusal_json,
    see_other,
)
from accounts.errors import AlreadySignedIn, CeremonyFailed
from accounts.forms import CeremonyForm, EnrolmentForm
from accounts.sign_in import sign_in


@require_safe
def enrolment(request: HttpRequest) -> HttpResponse:
    """Show the page of an operator's link; the token stays in the browser."""
    return kept_private(render(request, "accounts/enrolment.html"))


@require_POST
def enrolment_begin(request: HttpRequest) -> HttpResponse:
    """Answer the options of an operator's registration."""
    try:
        if person(request) is not None:
            raise AlreadySignedIn
        rate_limits.count_begin(request)
        found = enrolments.find(EnrolmentForm(request.POST).value())
    except CeremonyFailed as error:
        return refusal_json(error)
    session_key = ensure_session(request)
    return options(ceremonies.begin_enrolment(session_key=session_key, enrolment=found))


@require_POST
def enrolment_finish(request: HttpRequest) -> HttpResponse:
    """Give an operator a key and sign them in."""
    form = CeremonyForm(request.POST)
    try:
        if person(request) is not None:
            raise AlreadySignedIn
        with rate_limits.answering(request):
            credential = enrolments.enrol(
                response=form.response(),
                token=EnrolmentForm(request.POST).value(),
                session_key=request.session.session_key,
            )
    except CeremonyFailed as error:
        return refusal(request, error, way_back=reverse("admin:login"))
    sign_in(request, user=credential.user, credential=credential)
    return see_other(request, reverse("admin:index"))
