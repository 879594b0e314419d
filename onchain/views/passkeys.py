"""The passkeys page: who may get in, and with what."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET


@login_required
@require_GET
def passkeys(request: HttpRequest) -> HttpResponse:
    """The person's passkeys."""
    return render(request, "passkeys/passkeys.html")
