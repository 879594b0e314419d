"""How a ceremony's views answer: options, a redirect, or a refusal in words."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django_htmx.http import HttpResponseClientRedirect

from accounts.errors import CeremonyFailed, TooManyAttempts
from accounts.frame import render_framed
from accounts.models import User

STATUS = {
    "malformed": 400,
    "signed-out": 401,
    "signed-in": 409,
    "passkey-needed": 409,
    "expired": 410,
    "enrolment": 410,
    "email-link": 410,
    "too-many": 429,
    "not-ready": 503,
}
REFUSED = 403


def person(request: HttpRequest) -> User | None:
    """Return who is signed in, if anybody."""
    return request.user if isinstance(request.user, User) else None


def ensure_session(request: HttpRequest) -> str:
    """Return the key of this browser's session, creating it where there is none."""
    # Reading it loads the session, so that the key of a dead one is not trusted.
    request.session.get("_")
    if request.session.session_key is None:
        request.session.create()
    return str(request.session.session_key)


def options(value: dict[str, object]) -> HttpResponse:
    """Answer the options of a ceremony, which belong to nobody's cache."""
    return JsonResponse(value, headers={"Cache-Control": "no-store"})


def see_other(request: HttpRequest, url: str) -> HttpResponse:
    """Send the browser elsewhere with GET, whoever posted."""
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(url)
    headers = {"Location": iri_to_uri(url), "Cache-Control": "no-store"}
    return HttpResponse(status=303, headers=headers)


def kept_private(response: HttpResponse) -> HttpResponse:
    """Keep a page that has to do with a link out of caches, indexes, Referers (R62)."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def wants_json(request: HttpRequest) -> bool:
    """Whether a script asks, which reads JSON rather than a page."""
    types = ["text/html", "application/json"]
    return request.get_preferred_type(types) == "application/json"


def refusal_json(error: CeremonyFailed) -> HttpResponse:
    """Answer a refusal to a script."""
    return JsonResponse(
        {"error": {"code": error.code, "message": error.message}},
        status=STATUS.get(error.code, REFUSED),
        headers={"Cache-Control": "no-store"} | _when_again(error),
    )


def refusal(
    request: HttpRequest, error: CeremonyFailed, way_back: str = ""
) -> HttpResponse:
    """Answer a refusal as a page with a way back, or as JSON where that was asked."""
    if wants_json(request):
        return refusal_json(error)
    context = {"error": error, "way_back": way_back or reverse("home")}
    response = render_framed(
        request,
        "accounts/ceremony_failed.html",
        context,
        status=STATUS.get(error.code, REFUSED),
    )
    response["Cache-Control"] = "no-store"
    for name, value in _when_again(error).items():
        response[name] = value
    return response


def _when_again(error: CeremonyFailed) -> dict[str, str]:
    """Return the header that says when to try again, where the refusal knows (R38)."""
    if isinstance(error, TooManyAttempts):
        return {"Retry-After": str(error.retry_after)}  # seconds
    return {}
