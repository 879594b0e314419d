"""/metrics: for operators, and for the monitor that holds METRICS_TOKEN."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from accounts.models import User


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What Prometheus reads; to everybody else there is nothing here."""
    if not (_holds_token(request) or _is_operator(request)):
        raise Http404
    answer: HttpResponse = ExportToDjangoView(request)
    return answer


def _holds_token(request: HttpRequest) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(token.encode(), settings.METRICS_TOKEN.encode())


def _is_operator(request: HttpRequest) -> bool:
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_staff
