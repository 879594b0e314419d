"""Views that a touch must confirm before they run."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import rate_limits, step_up
from accounts.answers import person, refusal
from accounts.errors import CeremonyFailed
from accounts.forms import CeremonyForm, joined_target
from accounts.models import Credential

View: TypeAlias = Callable[..., HttpResponse]

TARGET_FIELD = "post:"


def passkeys_login_required(view: View) -> View:
    """Lead who signs in back to the passkeys page, since a button takes no GET."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if getattr(request, "htmx", False):
            answer = HttpResponse(status=401)
            answer["HX-Redirect"] = reverse("home")
            return answer
        return redirect_to_login(reverse("passkeys"))

    return wrapper


def step_up_required(
    action: step_up.Action | str,
    target: str | tuple[str, ...] | None = None,
    is_settled: bool = False,
    way_back: str = "",
    leads_back: Callable[..., str] | None = None,
) -> Callable[[View], View]:
    """Let a POST through once a passkey of the person confirmed exactly this (R14).

    Stands under ``login_required`` and ``require_POST``. Afterwards the view finds the
    passkey in ``confirmed_with(request)``.

    Args:
        action: One of ``step_up.Action``.
        target: Where the target stands: the name of an argument in the URL (``"pk"``),
            a posted field (``"post:email"``), both in their order (the page's form has
            as many fields called ``target``), or None where there is none.
        is_settled: Refuse a passkey that was added less than 72 hours ago.
        way_back: Name of the URL that a refusal leads back to; by default home.
        leads_back: Makes that URL of the view's arguments, where it has some.
    """
    asked = step_up.Action(action)

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = person(request)
            if user is None:
                raise TypeError("the view lacks its login check")
            form = CeremonyForm(request.POST)
            try:
                with rate_limits.answering(request):
                    credential = step_up.confirm(
                        user=user,
                        response=form.response(),
                        session_key=request.session.session_key,
                        action=asked,
                        target=_target(request, kwargs, target),
                        is_settled=is_settled,
                    )
            except CeremonyFailed as error:
                back = reverse(way_back) if way_back else ""
                if leads_back is not None:
                    back = leads_back(**kwargs)
                return refusal(request, error, way_back=back)
            # Beside request.user: what a request was confirmed with is part of it.
            request.step_up_credential = credential  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        wrapper.step_up_action = asked  # type: ignore[attr-defined]
        return wrapper

    return decorate


def confirmed_with(request: HttpRequest) -> Credential:
    """Return the passkey that confirmed this request.

    Raises:
        AttributeError: the view lacks ``step_up_required``.
    """
    credential: Credential = request.step_up_credential  # type: ignore[attr-defined]
    return credential


def _target(
    request: HttpRequest, kwargs: dict[str, Any], place: str | tuple[str, ...] | None
) -> str:
    if place is None:
        return ""
    if isinstance(place, tuple):
        return joined_target([_target(request, kwargs, each) for each in place])
    if place.startswith(TARGET_FIELD):
        return request.POST.get(place.removeprefix(TARGET_FIELD), "")
    return str(kwargs[place])
