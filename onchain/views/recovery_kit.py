"""The file that says how to stop a recovery without this site."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from onchain import recovery_kit as kit
from onchain.views.access import own_safe


@login_required
@require_GET
def recovery_kit(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Give the cancel kit as a text file."""
    safe = own_safe(request, chain_id, address)
    setups = list(safe.recovery_setups.order_by("pk"))
    response = HttpResponse(
        kit.text_of(safe=safe, setups=setups), content_type="text/plain; charset=utf-8"
    )
    name = f"cancel-recovery-{safe.address_text[:10]}.txt"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
