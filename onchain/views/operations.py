"""One operation: its review, its authorisation, its six steps."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from onchain import tasks
from onchain.errors import (
    IdempotencyConflict,
    NotAwaitingSignature,
    OperationExpired,
    OwnerChangeRefused,
    SignatureRefused,
)
from onchain.failures import failure_of
from onchain.forms import AssertionForm, IdempotencyForm
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from onchain.progress import another_way, steps_of, still_trying
from onchain.services import (
    addition_rounds,
    authorization,
    set_up,
    signature_details,
    user_operations,
)
from onchain.views.access import (
    account_context,
    button_login_required,
    fragment_login_required,
    is_htmx,
    own_operation,
    person,
    posted,
    render_card,
)

logger = logging.getLogger(__name__)

CHANGED = (
    "This {noun} was changed after it was prepared. It cannot be signed. Discard it."
)


@login_required
@require_GET
def operation(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one operation."""
    return _page(request, own_operation(request, pk))


@fragment_login_required
@require_GET
def operation_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card alone, polled while the network has the next move."""
    op = own_operation(request, pk)
    return render(request, "onchain/_operation_card.html", _card(request, op))


@fragment_login_required
@require_POST
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the passkey's authorisation."""
    op = own_operation(request, pk)
    form = AssertionForm(request.POST)
    status = _sign(request, op, form) if form.is_valid() else 422
    if status == 200:
        tasks.submit_user_operation.delay_on_commit(op.pk)
        following = None if op.is_payment else addition_rounds.place_of(op).next
        if following is not None and is_htmx(request):
            return HttpResponseClientRedirect(_address(following))
        if not is_htmx(request):
            return redirect(_address(following or op))
    op = own_operation(request, pk)
    context = _card(request, op) | {"form": form}
    return render_card(request, "operation", context, page="activity", status=status)


def _address(op: UserOperation) -> str:
    return reverse("onchain:operation", args=[op.pk])


def _sign(request: HttpRequest, op: UserOperation, form: AssertionForm) -> int:
    """Hand on a valid form's answer; return the status, and why not in the form."""
    if _is_changed(op):
        form.add_error(None, CHANGED.format(noun=op.noun))
        return 409
    response = form.cleaned_data["credential"]
    try:
        authorization.sign(op=op, user=person(request), response=response)
    except NotAwaitingSignature as error:
        form.add_error(None, str(error))
        return 409
    except (SignatureRefused, OperationExpired) as error:
        form.add_error(None, str(error))
        return 422
    return 200


@button_login_required
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up an operation that nobody has signed."""
    op = own_operation(request, pk)
    try:
        user_operations.withdraw(op=op)
    except NotAwaitingSignature as error:
        messages.error(request, str(error))
    return redirect("onchain:operation", op.pk)


@button_login_required
@require_POST
def prepare_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Draft the same intent anew."""
    op = own_operation(request, pk)
    form = IdempotencyForm(posted(request))
    if not form.is_valid():
        return HttpResponse("This form is incomplete.", status=400)
    try:
        again = user_operations.prepare_again(
            op=op,
            user=person(request),
            idempotency_key=form.cleaned_data["idempotency_key"],
        )
    except IdempotencyConflict as error:
        messages.error(request, str(error))
        return _page(request, op, status=422)  # R50
    except (NotAwaitingSignature, OwnerChangeRefused) as error:
        messages.error(request, str(error))
        return redirect("onchain:operation", op.pk)
    tasks.prepare_user_operation.delay_on_commit(again.pk)
    return redirect("onchain:operation", again.pk)


def _page(
    request: HttpRequest, op: UserOperation, *, status: int = 200
) -> HttpResponse:
    context = account_context(request, op.safe, "activity") | _card(request, op)
    return render(request, "onchain/operation.html", context, status=status)


def _card(request: HttpRequest, op: UserOperation) -> dict[str, Any]:
    context = {
        "op": op,
        "safe": op.safe,
        "steps": steps_of(op),
        "failure": failure_of(op),
        "still_trying": still_trying(op) or another_way(op),
        "can_prepare_again": user_operations.can_prepare_again(op),
        "again_key": uuid.uuid4(),
    }
    if op.status != Status.AWAITING_SIGNATURES:
        return context | {"signatures": signature_details.details_of(op)}
    if not op.is_payment:
        context["place"] = addition_rounds.place_of(op)
        context["owner_count"] = op.safe.owners.current().count()
    if op.installs_signer:
        context["set_up_owner"] = set_up.shared_owner(op.safe)
    try:
        asked = authorization.signing_request(op=op, user=person(request))
    except ValueError:
        logger.critical("operation %s was changed after it was prepared", op.pk)
        return context | {"changed": CHANGED.format(noun=op.noun)}
    return context | {"signing_request": asked}


def _is_changed(op: UserOperation) -> bool:
    """Whether a prepared row no longer hashes to what was prepared (R15)."""
    if op.status != Status.AWAITING_SIGNATURES and op.safe_operation_hash is None:
        return False  # never prepared
    try:
        authorization.challenge_of(op)
    except ValueError:
        return True
    return False
