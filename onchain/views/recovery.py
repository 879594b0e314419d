"""Recovery of an account with guardians: how it stands, and turning it on and off."""

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

from onchain import tasks
from onchain.errors import IdempotencyConflict, OwnerChangeRefused
from onchain.forms import IdempotencyForm
from onchain.models import Role, Safe, UserOperation
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, to_address
from onchain.recovery_forms import (
    GuardianChangeForm,
    GuardianThresholdForm,
    NewGuardianForm,
    RevocationForm,
    SetUpForm,
)
from onchain.services import (
    alert_contacts,
    barriers,
    change_lane,
    configurations,
    drill_contents,
    guardian_candidates,
    guardian_changes,
    guardian_names,
    module_codes,
    recovery_cards,
    recovery_overview,
    recovery_setups,
)
from onchain.views.access import (
    account_context,
    button_login_required,
    leads_to_forming,
    own_safe_page,
    person,
    posted,
    proposing_safe,
    signing_safe,
)

Draft = Callable[..., UserOperation]
INCOMPLETE = "This form is incomplete."


@login_required
@require_GET
def recovery(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Who guards an account, and what guardians have begun on it."""
    context = own_safe_page(request, chain_id, address, "owners")
    safe: Safe = context["safe"]
    context |= {
        "cards": recovery_cards.cards_of(safe=safe, user=person(request)),
        "setups": recovery_overview.setups_of(safe),
        "history": recovery_cards.history_of(safe=safe),
        "rehearsal": drill_contents.card_of(safe),
        "not_offered": module_codes.why_none(safe.chain),
        "changed_modules": module_codes.changed(safe.chain),
        "pending": change_lane.in_flight([safe]).first(),
        "form_key": uuid.uuid4(),
    }
    if safe.role == Role.OWNER:
        context["invited"] = guardian_candidates.on_their_way(safe=safe)
    return render(request, "onchain/recovery.html", context)


@login_required
@leads_to_forming
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_set_up(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Who guards, how many must approve, and how long owners can cancel."""

    def draft(form: SetUpForm, asked: dict[str, Any]) -> UserOperation:
        return guardian_changes.draft_set_up(
            **asked,
            module=form.module,
            guardians=form.chosen,
            threshold=form.cleaned_data["threshold"],
            is_proof_waived=form.cleaned_data["contract"] is not None,
            is_unwarned=form.cleaned_data.get("unwarned", False),
        )

    safe = proposing_safe(request, chain_id, address)
    if recovery_setups.active(safe) is not None and request.method != "POST":
        return redirect("onchain:recovery", chain_id, safe.address_text)
    user = person(request)
    found = guardian_candidates.candidates(safe=safe, user=user, guardians=[])
    more = {
        "invited": guardian_candidates.on_their_way(safe=safe),
        "checks": guardian_candidates.checks_of(safe=safe, user=user),
        "is_of_one_site": bool(found) and all(each.is_passkey for each in found),
    }
    fields = {
        "candidates": found,
        "is_settled": alert_contacts.is_settled(safe=safe),
    }
    return _ask(request, safe, SetUpForm, draft, more, "set-up", **fields)


@login_required
@leads_to_forming
@require_http_methods(["GET", "HEAD", "POST"])
def guardian_add(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Who becomes a guardian."""

    def draft(form: NewGuardianForm, asked: dict[str, Any]) -> UserOperation:
        return guardian_changes.draft_guardian(
            **asked,
            module=module,
            guardian=form.chosen,
            threshold=form.cleaned_data["threshold"],
            is_proof_waived=form.cleaned_data["contract"] is not None,
        )

    safe = proposing_safe(request, chain_id, address)
    setup = recovery_setups.active(safe)
    if setup is None:
        return _off(request, safe, "add")
    module, user = Address(setup.module), person(request)
    before = recovery_setups.addresses_of(setup)
    found = guardian_candidates.candidates(safe=safe, user=user, guardians=before)
    more = {
        "setup": setup,
        "invited": guardian_candidates.on_their_way(safe=safe),
        "checks": guardian_candidates.checks_of(safe=safe, user=user),
        "initial": {"threshold": setup.threshold},
    }
    fields = {"candidates": found, "count": len(before) + 1}
    return _ask(request, safe, NewGuardianForm, draft, more, "add", **fields)


@login_required
@leads_to_forming
@require_http_methods(["GET", "HEAD", "POST"])
def guardian_revoke(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Which guardian goes."""

    def draft(form: RevocationForm, asked: dict[str, Any]) -> UserOperation:
        return guardian_changes.draft_revocation(
            **asked,
            module=module,
            guardian=form.chosen,
            threshold=form.cleaned_data["threshold"],
        )

    safe = proposing_safe(request, chain_id, address)
    setup = recovery_setups.active(safe)
    if setup is None:
        return _off(request, safe, "revoke")
    module = Address(setup.module)
    before = recovery_setups.addresses_of(setup)
    left = max(1, len(before) - 1)
    more = {
        "setup": setup,
        "initial": {
            "guardian": request.GET.get("guardian"),
            "threshold": min(setup.threshold, left),
        },
    }
    fields = {
        "guardians": guardian_names.named(safe=safe, addresses=before),
        "count": left,
    }
    return _ask(request, safe, RevocationForm, draft, more, "revoke", **fields)


@login_required
@leads_to_forming
@require_http_methods(["GET", "HEAD", "POST"])
def guardian_threshold(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """How many guardians must approve."""

    def draft(form: GuardianThresholdForm, asked: dict[str, Any]) -> UserOperation:
        return guardian_changes.draft_guardian_threshold(
            **asked, module=module, threshold=form.cleaned_data["threshold"]
        )

    safe = proposing_safe(request, chain_id, address)
    setup = recovery_setups.active(safe)
    if setup is None:
        return _off(request, safe, "threshold")
    module = Address(setup.module)
    count = len(recovery_setups.addresses_of(setup))
    more = {"setup": setup, "initial": {"threshold": setup.threshold}}
    return _ask(
        request, safe, GuardianThresholdForm, draft, more, "threshold", count=count
    )


@button_login_required
@leads_to_forming
@require_POST
def recovery_end(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Ask for recovery to be turned off."""
    safe = proposing_safe(request, chain_id, address)
    return _press(request, safe, guardian_changes.draft_end)


@button_login_required
@leads_to_forming
@require_POST
def recovery_cancel(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Ask for a recovery that has begun to be cancelled; whoever holds a key may."""
    safe = signing_safe(request, chain_id, address)
    return _press(request, safe, guardian_changes.draft_recovery_cancellation)


def _press(request: HttpRequest, safe: Safe, draft: Draft) -> HttpResponse:
    """Draft what a button asks for at the module that it names."""
    form = IdempotencyForm(posted(request))
    try:
        module = to_address(request.POST.get("module", ""))
    except EncodingError:
        return HttpResponse(INCOMPLETE, status=400)
    if not form.is_valid():
        return HttpResponse(INCOMPLETE, status=400)
    try:
        op = draft(
            safe=safe,
            user=person(request),
            module=module,
            idempotency_key=form.cleaned_data["idempotency_key"],
        )
    except (IdempotencyConflict, OwnerChangeRefused) as error:
        messages.error(request, str(error))
        return redirect("onchain:recovery", safe.chain.chain_id, safe.address_text)
    tasks.prepare_user_operation.delay_on_commit(op.pk)
    return redirect("onchain:operation", op.pk)


def _off(request: HttpRequest, safe: Safe, action: str) -> HttpResponse:
    """Say that there are no guardians to change."""
    context = account_context(request, safe, "owners") | {"action": action}
    status = 409 if request.method == "POST" else 200
    return render(request, "onchain/guardian_change.html", context, status=status)


def _ask(
    request: HttpRequest,
    safe: Safe,
    make: Callable[..., GuardianChangeForm],
    draft: Draft,
    more: dict[str, Any],
    action: str,
    **fields: Any,
) -> HttpResponse:
    initial = {"idempotency_key": uuid.uuid4()} | more.pop("initial", {})
    form, status = make(initial=initial, safe=safe, **fields), 200
    if request.method == "POST":
        form, status = make(posted(request), safe=safe, **fields), 422
        op = _drafted(request, safe, form, draft) if form.is_valid() else None
        if op is not None:
            return redirect("onchain:operation", op.pk)
    context = account_context(request, safe, "owners") | more
    context |= {"form": form, "action": action, "here": request.path} | fields
    context["blocked"] = barriers.in_way(configurations.foreign_in(safe), safe=safe)
    name = "recovery_set_up" if action == "set-up" else "guardian_change"
    return render(request, f"onchain/{name}.html", context, status=status)


def _drafted(
    request: HttpRequest, safe: Safe, form: GuardianChangeForm, draft: Draft
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
