"""A person's pages stand in the frame that the site puts around them.

What belongs there is for the site to say (settings.FRAME_HOOK), since accounts knows no
chain.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string

from accounts.models import User


def render_framed(
    request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a page, in the frame of whoever is signed in."""
    if isinstance(request.user, User):
        context = import_string(settings.FRAME_HOOK)(request) | context
    return render(request, name, context, status=status)
