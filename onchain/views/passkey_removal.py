"""Removing a passkey in two steps: what it touches, then one touch of a passkey."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts import credentials, provider_signals
from accounts.answers import see_other
from accounts.browsers import browser_name
from accounts.decorators import confirmed_with, step_up_required
from accounts.errors import OperatorsElsewhere, RemovalRefused
from accounts.models import Credential
from accounts.providers import provider_name
from accounts.strict_json import encode_base64url
from onchain.services import passkey_removal, passkey_roles
from onchain.views.access import View, button_login_required, frame_context, person


@login_required
@require_GET
def passkey_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what removing a passkey touches, and offer it where it is possible."""
    context = _page(request, _own_passkey(request, pk))
    return render(request, "passkeys/remove.html", context)


def own_passkey_required(view: View) -> View:
    """Answer 404 for the passkey of somebody else before asking for any touch."""

    @wraps(view)
    def wrapper(request: HttpRequest, pk: int) -> HttpResponse:
        _own_passkey(request, pk)
        return view(request, pk=pk)

    return wrapper


@button_login_required
@require_POST
@own_passkey_required
@step_up_required("remove-passkey", target="pk", way_back="passkeys")
def passkey_removal_finish(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a passkey, and end the sessions that it opened."""
    credential = _own_passkey(request, pk)
    try:
        is_kept = passkey_removal.remove(
            user=person(request),
            pk=pk,
            confirmed_with=confirmed_with(request),
            browser=browser_name(request.headers.get("User-Agent", "")),
        )
    except (RemovalRefused, OperatorsElsewhere) as error:
        context = _page(request, credential) | {"refusal": error.message}
        return render(request, "passkeys/remove.html", context, status=409)
    except Credential.DoesNotExist:
        raise Http404 from None  # removed in another tab at this moment
    unknown_id = None if is_kept else credential.credential_id
    if not request.session.exists(str(request.session.session_key)):
        return _signed_out(request, credential, unknown_id)
    provider_signals.remember_change(request.session, unknown_id=unknown_id)
    messages.success(
        request,
        f"{credentials.phrase_of(credential)} was removed: it signs in here no longer. "
        "Delete it in your passkey provider too, if it is still listed there.",
    )
    return see_other(request, reverse("passkeys"))


def pop_signals(request: HttpRequest) -> dict[str, Any] | None:
    """Return what static/js/signals.js tells the provider, once after a change."""
    unknown_ids = provider_signals.take(request.session)
    if unknown_ids is None:
        return None
    user = person(request)
    accepted = passkey_roles.accepted_by_site(user=user)
    own = request.session.get("credential")
    return provider_signals.signals(
        user=user,
        unknown_ids=unknown_ids,
        accepted=accepted,
        signed_in_with=next((each for each in accepted if each.pk == own), None),
    )


def _own_passkey(request: HttpRequest, pk: int) -> Credential:
    mine = Credential.objects.of(person(request)).select_related("user")
    return get_object_or_404(mine, pk=pk)


def _page(request: HttpRequest, credential: Credential) -> dict[str, Any]:
    roles = passkey_roles.roles_of(credential=credential)
    return frame_context(request) | {
        "credential": credential,
        "provider": provider_name(credential.aaguid),
        "roles": roles,
        "obstacles": passkey_removal.obstacles_to(credential=credential, roles=roles),
        "is_session_credential": request.session.get("credential") == credential.pk,
    }


def _signed_out(
    request: HttpRequest, credential: Credential, unknown_id: bytes | None
) -> HttpResponse:
    """Say so here and now: with its passkey this very session has ended."""
    user = person(request)
    unknown_ids = [] if unknown_id is None else [encode_base64url(unknown_id)]
    signals = provider_signals.signals(
        user=user,
        unknown_ids=unknown_ids,
        accepted=passkey_roles.accepted_by_site(user=user),
        signed_in_with=None,
    )
    logout(request)
    context = {"name": credentials.phrase_of(credential), "signals": signals}
    return render(request, "passkeys/removed.html", context)
