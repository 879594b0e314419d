"""What happened to a person's keys and sessions, page by page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from accounts.frame import render_framed
from accounts.models import SecurityEvent

PER_PAGE = 50


@login_required
@require_GET
def security_events(request: HttpRequest) -> HttpResponse:
    """All of the person's security events, newest first."""
    events = SecurityEvent.objects.filter(user=request.user.pk)
    page_obj = Paginator(events, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page_obj": page_obj}
    return render_framed(request, "accounts/security_events.html", context)
