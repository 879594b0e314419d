"""The owners of an account, what else can move it, and asking for changes of both."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from accounts.sign_in import THIS_DEVICE
from onchain import allowance_words, tasks
from onchain.allowance_words import AllowanceLine
from onchain.errors import IdempotencyConflict, OwnerChangeRefused
from onchain.forms import IdempotencyForm
from onchain.models import ForeignConfiguration, Safe, UserOperation
from onchain.owner_forms import (
    ChangeForm,
    RemovalForm,
    ReplacementForm,
    ThresholdForm,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import to_address
from onchain.services import (
    barriers,
    change_lane,
    configuration_changes,
    configurations,
    owner_changes,
    owner_list,
    recovery_overview,
)
from onchain.views.access import (
    account_context,
    button_login_required,
    leads_to_forming,
    own_safe_page,
    person,
    posted,
    proposing_safe,
)
from onchain.views.people import people_context

Draft = Callable[..., UserOperation]


@login_required
@require_GET
def owners(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Who can move an account, what else can, and who else sees it."""
    context = own_safe_page(request, chain_id, address, "owners")
    safe: Safe = context["safe"]
    foreign = configurations.loaded_with(safe)
    blocked = barriers.in_way(foreign, safe=safe)
    lines = owner_list.owners_of(
        safe=safe,
        user=person(request),
        device_credential=request.session.get(THIS_DEVICE),
    )
    context |= {
        "lines": lines,
        "foreign": foreign,
        "blocked": blocked,
        "findings": [] if foreign is None else findings_of(foreign, bool(blocked)),
        "setups": recovery_overview.setups_of(safe),
        "pending": change_lane.in_flight([safe]).first(),
        "form_key": uuid.uuid4(),
    } | people_context(safe, [line.owner for line in lines])
    return render(request, "onchain/owners.html", context)


Finding = tuple[str, str, str, list[AllowanceLine]]


def findings_of(foreign: ForeignConfiguration, is_blocked: bool) -> list[Finding]:
    """Return each finding with the kind of change that removes it, if one can now.

    And what it lets others spend, where it is an allowance module.
    """
    found = foreign.findings
    kinds = {} if is_blocked else configuration_changes.KINDS
    return [
        (kind, at, str(kinds.get(kind, "")), allowance_words.lines_of(foreign, at))
        for kind, at in found
    ]


@login_required
@leads_to_forming
@require_http_methods(["GET", "HEAD", "POST"])
def owner_remove(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Which owner goes; a valid form becomes a draft and its own page."""

    def draft(form: RemovalForm, asked: dict[str, Any]) -> UserOperation:
        return owner_changes.draft_removal(
            **asked,
            removed=form.removed_address,
            threshold=form.cleaned_data["threshold"],
            is_proof_waived=form.cleaned_data.get("is_proof_waived", False),
        )

    safe = proposing_safe(request, chain_id, address)
    return _ask(request, safe, RemovalForm, draft, action="remove")


@login_required
@leads_to_forming
@require_http_methods(["GET", "HEAD", "POST"])
def owner_replace(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Which owner goes and who takes its place."""

    def draft(form: ReplacementForm, asked: dict[str, Any]) -> UserOperation:
        new = form.candidates[form.cleaned_data["new"]]
        return owner_changes.draft_swap(**asked, removed=form.removed_address, new=new)

    safe = proposing_safe(request, chain_id, address)
    found = owner_list.candidates(safe=safe, user=person(request))
    return _ask(
        request, safe, ReplacementForm, draft, action="replace", candidates=found
    )


@login_required
@leads_to_forming
@require_http_methods(["GET", "HEAD", "POST"])
def owner_threshold(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """How many owners must approve."""

    def draft(form: ThresholdForm, asked: dict[str, Any]) -> UserOperation:
        return owner_changes.draft_threshold(
            **asked,
            threshold=form.cleaned_data["threshold"],
            is_proof_waived=form.cleaned_data.get("is_proof_waived", False),
        )

    safe = proposing_safe(request, chain_id, address)
    return _ask(request, safe, ThresholdForm, draft, action="threshold")


def _ask(
    request: HttpRequest,
    safe: Safe,
    make: Callable[..., ChangeForm],
    draft: Draft,
    *,
    action: str,
    **fields: Any,
) -> HttpResponse:
    current = safe.owners.current().select_related("credential").order_by("position")
    fields |= {"safe": safe, "owners": list(current)}
    chosen = {"removed": request.GET.get("owner"), "idempotency_key": uuid.uuid4()}
    form, status = make(initial=chosen, **fields), 200
    if request.method == "POST":
        form, status = make(posted(request), **fields), 422
        op = _drafted(request, safe, form, draft) if form.is_valid() else None
        if op is not None:
            return redirect("onchain:operation", op.pk)
    context = account_context(request, safe, "owners")
    context |= {"form": form, "action": action, "here": request.path} | fields
    context["blocked"] = barriers.in_way(configurations.foreign_in(safe), safe=safe)
    return render(request, "onchain/owner_change.html", context, status=status)


def _drafted(
    request: HttpRequest, safe: Safe, form: ChangeForm, draft: Draft
) -> UserOperation | None:
    """Return what a valid form asks for, None with words in the form if refused."""
    asked = {
        "safe": safe,
        "user": person(request),
        "idempotency_key": form.cleaned_data["idempotency_key"],
        "period_seconds": form.period_seconds(),
    }
    try:
        op = draft(form, asked)
    except (IdempotencyConflict, OwnerChangeRefused) as error:
        form.add_error(None, str(error))
        return None
    tasks.prepare_user_operation.delay_on_commit(op.pk)
    return op


@button_login_required
@leads_to_forming
@require_POST
def configuration_remove(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Ask for a module or the guard to be removed."""
    safe = proposing_safe(request, chain_id, address)
    form = IdempotencyForm(posted(request))
    kind = request.POST.get("kind", "")
    try:
        removed = to_address(request.POST.get("removed", ""))
    except EncodingError:
        return HttpResponse("This form is incomplete.", status=400)
    if not form.is_valid() or kind not in configuration_changes.FINDINGS:
        return HttpResponse("This form is incomplete.", status=400)
    try:
        op = configuration_changes.draft_configuration(
            safe=safe,
            user=person(request),
            kind=kind,
            removed=removed,
            idempotency_key=form.cleaned_data["idempotency_key"],
        )
    except (IdempotencyConflict, OwnerChangeRefused) as error:
        messages.error(request, str(error))
        return redirect("onchain:owners", chain_id, safe.address_text)
    tasks.prepare_user_operation.delay_on_commit(op.pk)
    return redirect("onchain:operation", op.pk)
