"""Saying that one knows what else has power over an account."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from onchain.protocol.errors import EncodingError
from onchain.protocol.types import to_bytes32
from onchain.services import configurations
from onchain.views.access import button_login_required, own_safe, person


@button_login_required
@require_POST
def configuration_acknowledge(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Remember what the person saw; what changed since then is shown instead."""
    safe = own_safe(request, chain_id, address)
    try:
        seen = to_bytes32(request.POST.get("seen", ""))
    except EncodingError:
        return HttpResponse("This form is incomplete.", status=400)
    if not configurations.acknowledge(safe=safe, user=person(request), seen=seen):
        messages.error(request, "The account was changed since. Read it again.")
    return redirect("onchain:receive", chain_id, safe.address_text)
