"""Answering a rehearsal: the guardian's side, apart from every real recovery."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.answers import kept_private, see_other
from accounts.frame import render_framed
from accounts.models import User
from onchain import recovery_tasks
from onchain.errors import DrillRefused, SignatureRefused
from onchain.forms import AssertionForm, WalletAnswerForm
from onchain.models import RecoveryDrill
from onchain.people_forms import LinkForm
from onchain.services import drill_answers, drill_contents, recovery_drills
from onchain.views.access import (
    button_login_required,
    fragment_login_required,
    frame_context,
    is_htmx,
    person,
)

OPENED = "recovery_drills"  # of the session: the rehearsals whose links it opened
PAGE = "onchain/guardian_drill.html"
CARD = "onchain/_guardian_drill_card.html"


def opened(request: HttpRequest) -> list[int]:
    """Return the rehearsals whose links this browser opened."""
    found: list[int] = request.session.get(OPENED, [])
    return found


@require_safe
def guardian_drill_link(request: HttpRequest) -> HttpResponse:
    """The page of a link, which changes nothing; the token stays in the browser."""
    page = render_framed(request, "onchain/guardian_drill_link.html", {})
    return kept_private(page)


@require_POST
def guardian_drill_open(request: HttpRequest) -> HttpResponse:
    """Show the rehearsal of a link to who is signed in."""
    form = LinkForm(request.POST)
    try:
        if not form.is_valid() or not isinstance(request.user, User):
            raise DrillRefused("This link does not work. Sign in first.")
        drill = recovery_drills.of_token(form.cleaned_data["token"])
    except DrillRefused as error:
        name = "onchain/guardian_refused.html"
        context = {"words": str(error)}
        return kept_private(render_framed(request, name, context, status=410))
    request.session[OPENED] = list(dict.fromkeys([*opened(request), drill.pk]))[-20:]
    page = reverse("onchain:guardian-drill", args=[drill.pk])
    return kept_private(see_other(request, page))


@login_required
@require_GET
def guardian_drill(request: HttpRequest, pk: int) -> HttpResponse:
    """What is asked of the guardian, and that nothing can happen."""
    return _page(request, _asked(request, pk), {})


@fragment_login_required
@require_GET
def guardian_drill_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card alone, polled while the chain checks what was signed."""
    return render(request, CARD, _card(request, _asked(request, pk)))


@button_login_required
@require_POST
def guardian_drill_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a passkey guardian's answer."""
    drill = _asked(request, pk)
    form = AssertionForm(request.POST)
    if form.is_valid():
        try:
            answer = drill_answers.sign_with_passkey(
                drill=drill,
                user=person(request),
                response=form.cleaned_data["credential"],
            )
        except (DrillRefused, SignatureRefused) as error:
            form.add_error(None, str(error))
        else:
            recovery_tasks.check_drill_answer.delay_on_commit(answer.pk)
    return _answer(request, drill, form)


@button_login_required
@require_POST
def guardian_drill_answer_wallet(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the answer of a wallet or a contract that is a guardian."""
    drill = _asked(request, pk)
    form = WalletAnswerForm(request.POST)
    if form.is_valid():
        try:
            answer = drill_answers.sign_with_wallet(
                drill=drill,
                user=person(request),
                guardian=form.cleaned_data["account"],
                signature=form.cleaned_data["signature"],
            )
        except (DrillRefused, SignatureRefused) as error:
            form.add_error(None, str(error))
        else:
            recovery_tasks.check_drill_answer.delay_on_commit(answer.pk)
    return _answer(request, drill, form)


def _asked(request: HttpRequest, pk: int) -> RecoveryDrill:
    """Return a rehearsal that this person may be asked about, or 404."""
    rows = drill_answers.visible_to(user=person(request), opened=opened(request))
    return get_object_or_404(rows.select_related("safe__chain", "started_by"), pk=pk)


def _answer(request: HttpRequest, drill: RecoveryDrill, form: Any) -> HttpResponse:
    if not form.errors and not is_htmx(request):
        return redirect("onchain:guardian-drill", drill.pk)
    status = 422 if form.errors else 200
    drill.refresh_from_db()
    context = {"form": form} if form.errors else {}
    if is_htmx(request):
        return render(request, CARD, _card(request, drill) | context, status=status)
    return _page(request, drill, context, status=status)


def _page(
    request: HttpRequest,
    drill: RecoveryDrill,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    context = frame_context(request) | _card(request, drill) | context
    return render(request, PAGE, context | {"page": "guardian"}, status=status)


def _card(request: HttpRequest, drill: RecoveryDrill) -> dict[str, Any]:
    return drill_contents.guardian_card_of(drill=drill, user=person(request))
