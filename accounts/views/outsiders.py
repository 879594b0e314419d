"""The page on which somebody without a wallet says whether to be warned (R61, R62)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import outsiders
from accounts.answers import kept_private, refusal
from accounts.errors import EmailLinkRefused, OutsiderLinkRefused
from accounts.forms import EmailTokenForm


@require_safe
def alert_link(request: HttpRequest) -> HttpResponse:
    """The page of a link, which changes nothing; the token stays in the browser."""
    return kept_private(render(request, "accounts/alert_link.html"))


@require_POST
def alert_agree(request: HttpRequest) -> HttpResponse:
    """Warn this address from now on."""
    return _answer(request, agrees=True)


@require_POST
def alert_decline(request: HttpRequest) -> HttpResponse:
    """Write to this address no more."""
    return _answer(request, agrees=False)


def _answer(request: HttpRequest, *, agrees: bool) -> HttpResponse:
    try:
        outsider = outsiders.answer(
            token=EmailTokenForm(request.POST).value(), agrees=agrees
        )
    except (EmailLinkRefused, OutsiderLinkRefused):
        error = OutsiderLinkRefused()
        return kept_private(refusal(request, error, way_back=reverse("home")))
    context = {"outsider": outsider, "agrees": agrees}
    return kept_private(render(request, "accounts/alert_answered.html", context))
