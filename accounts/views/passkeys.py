"""A person's own passkeys: confirming with one, adding one, naming one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import credentials, provider_signals, rate_limits, step_up
from accounts.answers import (
    ensure_session,
    options,
    person,
    refusal,
    refusal_json,
    see_other,
)
from accounts.browsers import browser_name
from accounts.decorators import passkeys_login_required, step_up_required
from accounts.errors import CeremonyFailed, SignedOut
from accounts.forms import CeremonyForm, PasskeyNameForm, StepUpForm
from accounts.frame import render_framed
from accounts.models import Credential, User
from accounts.options import aimed_at

# Where a new passkey may live: hint, label, icon, what it means for the person.
PLACES = (
    (
        "client-device",
        "This device",
        "monitor-smartphone",
        "Kept by this computer or phone, or by its password manager.",
    ),
    (
        "hybrid",
        "Another phone (QR)",
        "qr-code",
        "Scan a code with the phone that is to hold the passkey.",
    ),
    (
        "security-key",
        "Security key",
        "usb",
        "A key that you plug in or hold against the device.",
    ),
)


@require_POST
def step_up_begin(request: HttpRequest) -> HttpResponse:
    """Answer the options of a confirmation by one of the person's passkeys."""
    user = person(request)
    if user is None:
        return refusal_json(SignedOut())
    try:
        rate_limits.count_begin(request)
        action, target = StepUpForm(request.POST).wanted()
        return options(
            step_up.begin(
                user=user,
                session_key=ensure_session(request),
                action=action,
                target=target,
            )
        )
    except CeremonyFailed as error:
        return refusal_json(error)


@require_POST
@passkeys_login_required
@step_up_required("add-passkey", way_back="passkeys")
def passkey_add(request: HttpRequest) -> HttpResponse:
    """The page on which another passkey is made; reloading it confirms nothing."""
    try:
        rate_limits.count_begin(request)
        created = credentials.begin_addition(
            user=_user(request), session_key=ensure_session(request)
        )
    except CeremonyFailed as error:
        return refusal(request, error, way_back=reverse("passkeys"))
    context = {
        "places": [_place(created, *place) for place in PLACES],
        "until": timezone.now() + timedelta(seconds=settings.CEREMONY_SECONDS),
    }
    return render_framed(request, "passkeys/add.html", context)


@require_POST
@passkeys_login_required
def addition_finish(request: HttpRequest) -> HttpResponse:
    """Give the person another passkey, which signs in only."""
    form = CeremonyForm(request.POST)
    try:
        with rate_limits.answering(request):
            credential = credentials.add(
                user=_user(request),
                response=form.response(),
                session_key=request.session.session_key,
                browser=browser_name(request.headers.get("User-Agent", "")),
            )
    except CeremonyFailed as error:
        orphan = credentials.orphan_of(request.POST.get("credential", ""))
        if orphan is not None:
            provider_signals.remember_change(request.session, unknown_id=orphan)
        return refusal(request, error, way_back=reverse("passkeys"))
    messages.success(
        request,
        f"Your new passkey ({credentials.name_of(credential)}) signs you in. It signs "
        "in only and cannot pay, until you add it to an account.",
    )
    return see_other(request, _next_step(credential))


@require_POST
@passkeys_login_required
def passkey_rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a passkey something else."""
    credential = get_object_or_404(Credential.objects.of(_user(request)), pk=pk)
    form = PasskeyNameForm(request.POST)
    if not form.is_valid():
        context = {"credential": credential, "form": form}
        if getattr(request, "htmx", False):
            return render(request, "passkeys/_rename.html", context, status=422)
        return render_framed(request, "passkeys/rename.html", context, status=422)
    credentials.rename(credential=credential, name=form.cleaned_data["name"])
    provider_signals.remember_change(request.session)
    messages.success(request, f"Renamed to “{form.cleaned_data['name']}”.")
    return see_other(request, reverse("passkeys"))


def _user(request: HttpRequest) -> User:
    user = person(request)
    if user is None:
        raise TypeError("the view lacks its login check")
    return user


def _place(
    created: dict[str, object], hint: str, label: str, icon: str, meaning: str
) -> dict[str, Any]:
    return {
        "hint": hint,
        "label": label,
        "icon": icon,
        "meaning": meaning,
        "options": aimed_at(created, hint),
    }


def _next_step(credential: Credential) -> str:
    """Return the page that adds a passkey to accounts, where the site has accounts."""
    try:
        return reverse("onchain:passkey-accounts", args=[credential.pk])
    except NoReverseMatch:
        return reverse("passkeys")
