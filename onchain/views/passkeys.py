"""The passkeys page: who may get in, and with what."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import emails, security_events, session_list
from onchain.services import export, passkey_list
from onchain.views.access import frame_context, person
from onchain.views.passkey_removal import pop_signals


@login_required
@require_GET
def passkeys(request: HttpRequest) -> HttpResponse:
    """The person's passkeys, what each of them can move, and where they are in use."""
    return render(request, "passkeys/passkeys.html", _page(request))


@login_required
@require_GET
def passkeys_export(request: HttpRequest) -> HttpResponse:
    """The file that rebuilds the person's accounts elsewhere: public data only."""
    now = timezone.now()
    content = export.of_person(user=person(request), now=now)
    name = f"latchkey-{now:%Y-%m-%d}.json"
    return JsonResponse(
        content,
        json_dumps_params={"indent": 2},
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _page(request: HttpRequest) -> dict[str, Any]:
    user = person(request)
    context = frame_context(request) | {
        "rp_id": settings.WEBAUTHN_RP_ID,
        "listing": passkey_list.passkeys_of(
            user=user, session_credential=request.session.get("credential")
        ),
        "signals": pop_signals(request),
    }
    context |= session_list.page_context(request)
    context |= emails.page_context(user)
    return context | security_events.page_context(user)
