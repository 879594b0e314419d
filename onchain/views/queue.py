"""What waits for approvals: the list, reminding, and sending what has enough."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from onchain import tasks
from onchain.change_errors import AccountBlocked
from onchain.errors import (
    IdempotencyConflict,
    NobodyToRemind,
    NotApprovedYet,
    NotAwaitingSignature,
    NothingToCancel,
)
from onchain.forms import IdempotencyForm
from onchain.services import cancellation
from onchain.services import queue as queue_service
from onchain.services.queue import Asked
from onchain.views.access import (
    account_context,
    button_login_required,
    own_safe,
    person,
    posted,
    proposing_operation,
    signing_operation,
)


@login_required
@require_GET
def queue(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """All that waits for approvals: what waits for me, then what waits for others."""
    safe = own_safe(request, chain_id, address)
    items = queue_service.waiting(safe=safe, user=person(request))
    context = account_context(request, safe, "activity") | {
        "for_me": [item for item in items if item.is_for_me],
        "for_others": [item for item in items if not item.is_for_me],
    }
    return render(request, "onchain/queue.html", context)


@button_login_required
@require_POST
def remind(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask who has not approved yet, each person once a day."""
    op = signing_operation(request, pk)
    try:
        asked = queue_service.remind(op=op, sent_by=person(request))
    except (NotAwaitingSignature, NobodyToRemind) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _asked(asked))
    return redirect("onchain:operation", op.pk)


@button_login_required
@require_POST
def send_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Let go what enough owners approved (security.md R67)."""
    op = signing_operation(request, pk)
    try:
        queue_service.send_now(op=op)
    except (NotApprovedYet, NotAwaitingSignature) as error:
        messages.error(request, str(error))
    else:
        tasks.submit_user_operation.delay_on_commit(op.pk)
    return redirect("onchain:operation", op.pk)


@button_login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for an operation that uses up this one's nonce (security.md R66)."""
    op = proposing_operation(request, pk)
    form = IdempotencyForm(posted(request))
    if not form.is_valid():
        return HttpResponse("This form is incomplete.", status=400)
    try:
        cancelling = cancellation.draft_cancellation(
            op=op,
            user=person(request),
            idempotency_key=form.cleaned_data["idempotency_key"],
        )
    except (AccountBlocked, NothingToCancel, IdempotencyConflict) as error:
        messages.error(request, str(error))
        return redirect("onchain:operation", op.pk)
    tasks.prepare_user_operation.delay_on_commit(cancelling.pk)
    return redirect("onchain:operation", cancelling.pk)


def _asked(asked: Asked) -> str:
    if asked.now == 0:
        return "Everybody who is missing was reminded today already."
    people = "1 person" if asked.now == 1 else f"{asked.now} people"
    already = " The others were reminded today already." if asked.before else ""
    return f"Reminded {people}.{already}"
