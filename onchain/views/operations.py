"""One operation: its review, its authorisation, its six steps."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from onchain import tasks
from onchain.errors import (
    IdempotencyConflict,
    NotAwaitingSignature,
    OperationExpired,
    SignatureRefused,
)
from onchain.failures import failure_of
from onchain.forms import AssertionForm, IdempotencyForm
from onchain.models import UserOperation
from onchain.models.user_operation import Status
from onchain.progress import steps_of, still_trying
from onchain.services import authorization, user_operations
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


@login_required
@require_GET
def operation(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one operation."""
    op = own_operation(request, pk)
    context = account_context(request, op.safe, "activity") | _card(request, op)
    return render(request, "onchain/operation.html", context)


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
    status = 422
    if form.is_valid():
        response = form.cleaned_data["credential"]
        try:
            authorization.sign(op=op, user=person(request), response=response)
        except NotAwaitingSignature as error:
            form.add_error(None, str(error))
            status = 409
        except (SignatureRefused, OperationExpired) as error:
            form.add_error(None, str(error))
        else:
            tasks.submit_user_operation.delay_on_commit(op.pk)
            if not is_htmx(request):
                return redirect("onchain:operation", op.pk)
            status = 200
    op = own_operation(request, pk)
    context = _card(request, op) | {"form": form}
    return render_card(request, "operation", context, page="activity", status=status)


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
    """Draft the same payment anew."""
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
    except (NotAwaitingSignature, IdempotencyConflict) as error:
        messages.error(request, str(error))
        return redirect("onchain:operation", op.pk)
    tasks.prepare_user_operation.delay_on_commit(again.pk)
    return redirect("onchain:operation", again.pk)


def _card(request: HttpRequest, op: UserOperation) -> dict[str, Any]:
    context = {
        "op": op,
        "safe": op.safe,
        "steps": steps_of(op),
        "failure": failure_of(op),
        "still_trying": still_trying(op),
        "can_prepare_again": user_operations.can_prepare_again(op),
        "again_key": uuid.uuid4(),
    }
    if op.status == Status.AWAITING_SIGNATURES:
        context["signing_request"] = authorization.signing_request(
            op=op, user=person(request)
        )
    return context
