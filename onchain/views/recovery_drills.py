"""Rehearsing a recovery, for the people of the account."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.answers import kept_private
from onchain.errors import DrillRefused
from onchain.models import Safe
from onchain.services import drill_contents, recovery_drills
from onchain.views.access import (
    account_context,
    button_login_required,
    fragment_login_required,
    leads_to_forming,
    own_safe,
    person,
    proposing_safe,
)

CARD = "onchain/_drill_card.html"
OVER = "The rehearsal is over."


@fragment_login_required
@require_GET
def drill_card(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The card alone, polled while guardians are asked."""
    safe = own_safe(request, chain_id, address)
    context = {"safe": safe, "rehearsal": drill_contents.card_of(safe)}
    return render(request, CARD, context)


@button_login_required
@leads_to_forming
@require_POST
def drill_start(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Ask every guardian to show that they can sign."""
    safe = proposing_safe(request, chain_id, address)
    try:
        recovery_drills.start(safe=safe, user=person(request))
    except DrillRefused as error:
        messages.error(request, str(error))
    return _back(safe)


@button_login_required
@leads_to_forming
@require_POST
def drill_end(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """End the rehearsal before its time."""
    safe = proposing_safe(request, chain_id, address)
    drill = recovery_drills.running(safe)
    if drill is not None:
        recovery_drills.end(drill=drill)
    messages.success(request, OVER)
    return _back(safe)


@button_login_required
@leads_to_forming
@require_POST
def drill_link(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Make a new link for guardians, shown this once; the one before it ends."""
    safe = proposing_safe(request, chain_id, address)
    drill = recovery_drills.running(safe)
    try:
        token = "" if drill is None else recovery_drills.renew_link(drill=drill)
    except DrillRefused:
        token = ""
    if not token:
        messages.error(request, OVER)
        return _back(safe)
    page = request.build_absolute_uri(reverse("onchain:guardian-drill-link"))
    context = account_context(request, safe, "owners") | {"link": f"{page}#{token}"}
    return kept_private(render(request, "onchain/drill_link.html", context))


def _back(safe: Safe) -> HttpResponse:
    return redirect("onchain:recovery", safe.chain.chain_id, safe.address_text)
