"""The notice of an account that hangs on one passkey: closed, acknowledged, undone."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from onchain.errors import NotTheOnlyKey
from onchain.forms import AcknowledgementForm
from onchain.services import ways_in
from onchain.views.access import (
    account_context,
    button_login_required,
    person,
    proposing_safe,
)
from onchain.views.safes import ONLY_KEY_CLOSED, render_detail


@login_required
@require_GET
def second_way(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """What else can open the account, and how each of it is added."""
    safe = proposing_safe(request, chain_id, address)
    context = account_context(request, safe, "settings")
    context["ways"] = ways_in.ways_in(safe=safe, user=person(request))
    return render(request, "onchain/second_way.html", context)


@button_login_required
@require_POST
def only_key_later(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Close the notice until the person signs in again."""
    safe = proposing_safe(request, chain_id, address)
    closed = {*request.session.get(ONLY_KEY_CLOSED, []), safe.pk}
    request.session[ONLY_KEY_CLOSED] = sorted(closed)
    return redirect("onchain:safe-detail", chain_id, safe.address_text)


@button_login_required
@require_POST
def only_key_acknowledge(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Put the notice away for good, once its words are acknowledged."""
    safe = proposing_safe(request, chain_id, address)
    form = AcknowledgementForm(request.POST)
    if not form.is_valid():
        context = {"acknowledgement_form": form}
        return render_detail(request, chain_id, address, status=422, extra=context)
    try:
        ways_in.acknowledge(safe=safe, user=person(request))
    except NotTheOnlyKey as error:
        messages.info(request, str(error))
    else:
        messages.success(
            request, "Put away. You can bring the notice back under Settings."
        )
    return redirect("onchain:safe-detail", chain_id, safe.address_text)


@button_login_required
@require_POST
def only_key_undo(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Take an acknowledgement back, so that the notice shows again."""
    safe = proposing_safe(request, chain_id, address)
    ways_in.take_back(safe=safe, user=person(request))
    closed = set(request.session.get(ONLY_KEY_CLOSED, [])) - {safe.pk}
    request.session[ONLY_KEY_CLOSED] = sorted(closed)
    return redirect("onchain:safe-detail", chain_id, safe.address_text)
