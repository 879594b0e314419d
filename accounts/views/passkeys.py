"""A person's own passkeys: confirming with one, adding one, naming one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from accounts import step_up
from accounts.answers import ensure_session, options, person, refusal_json
from accounts.errors import CeremonyFailed, SignedOut
from accounts.forms import StepUpForm


@require_POST
def step_up_begin(request: HttpRequest) -> HttpResponse:
    """Answer the options of a confirmation by one of the person's passkeys."""
    user = person(request)
    if user is None:
        return refusal_json(SignedOut())
    try:
        action, target = StepUpForm(request.POST).wanted()
        return options(
            step_up.begin(
                user=user,
                session_key=ensure_session(request),
                action=action,
                target=target,
            )
        )
    except CeremonyFailed as error:
        return refusal_json(error)
