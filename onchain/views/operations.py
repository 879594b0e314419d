"""One operation: its review, its authorisation, its six steps."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import User
from onchain import tasks
from onchain.errors import (
    IdempotencyConflict,
    NotAwaitingSignature,
    OperationExpired,
    OwnerChangeRefused,
    SignatureRefused,
)
from onchain.failures import failure_of
from onchain.forms import AssertionForm, IdempotencyForm, WalletAnswerForm
from onchain.models import Role, UserOperation
from onchain.models.operation_states import GIVEN_UP, Status
from onchain.progress import another_way, steps_of, still_trying
from onchain.services import (
    addition_rounds,
    approvals,
    authorization,
    cancellation,
    contacts,
    gas,
    intents,
    set_up,
    signatories,
    signature_details,
    user_operations,
    wallet_approvals,
)
from onchain.services.approvals import Approvals
from onchain.services.signatories import Signatories
from onchain.views.access import (
    account_context,
    button_login_required,
    fragment_login_required,
    is_htmx,
    own_operation,
    person,
    posted,
    proposing_operation,
    render_card,
    signing_operation,
)
from onchain.views.change_cards import change_context

logger = logging.getLogger(__name__)

CHECKING = "checking"  # in the query of a card that shows a contract is asked
CHANGED = (
    "This {noun} was changed after it was prepared. It cannot be signed. Discard it."
)
VOIDED = (
    "The invitation that this began with was accepted again or taken back. Discard "
    "this, and confirm the invitation anew."
)


@login_required
@require_GET
def operation(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one operation."""
    return _page(request, own_operation(request, pk))


@fragment_login_required
@require_GET
def operation_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card alone, polled while the network has the next move.

    While it waits for a contract's word there may be a form on it that somebody signs
    just now, so it is answered only once that is known.
    """
    op = own_operation(request, pk)
    context = _card(request, op)
    if CHECKING in request.GET and context.get("is_checking"):
        return HttpResponse(status=204)
    return render(request, "onchain/_operation_card.html", context)


@fragment_login_required
@require_POST
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the passkey's authorisation."""
    return _taken(request, pk, AssertionForm(request.POST), _take_from_passkey)


@fragment_login_required
@require_POST
def sign_with_wallet(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the authorisation of one of the person's browser wallets."""
    return _taken(request, pk, WalletAnswerForm(request.POST), _take_from_wallet)


def _taken(
    request: HttpRequest, pk: int, form: Form, take: Callable[..., None]
) -> HttpResponse:
    op = signing_operation(request, pk)
    status = _sign(request, op, form, take) if form.is_valid() else 422
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


def _take_from_passkey(op: UserOperation, user: User, answer: dict[str, Any]) -> None:
    authorization.sign(op=op, user=user, response=answer["credential"])


def _take_from_wallet(op: UserOperation, user: User, answer: dict[str, Any]) -> None:
    account, signature = answer["account"], answer["signature"]
    row = wallet_approvals.sign(op=op, user=user, account=account, signature=signature)
    if not row.is_checked:
        tasks.check_wallet_signature.delay_on_commit(row.pk)


def _address(op: UserOperation) -> str:
    return reverse("onchain:operation", args=[op.pk])


def _sign(
    request: HttpRequest, op: UserOperation, form: Form, take: Callable[..., None]
) -> int:
    """Hand on a valid form's answer; return the status, and why not in the form."""
    if _is_changed(op):
        form.add_error(None, CHANGED.format(noun=op.noun))
        return 409
    try:
        take(op, person(request), form.cleaned_data)
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
    op = proposing_operation(request, pk)
    try:
        user_operations.withdraw(op=op)
    except NotAwaitingSignature as error:
        messages.error(request, str(error))
    return redirect("onchain:operation", op.pk)


@button_login_required
@require_POST
def prepare_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Draft the same intent anew."""
    op = proposing_operation(request, pk)
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
    known = signatories.of(op)
    found = _approvals(request, op, known)
    context = {
        "op": op,
        "safe": op.safe,
        "steps": steps_of(op, approved="" if found is None else found.words),
        "approvals": found,
        "is_outgrown": op.status == Status.AWAITING_SIGNATURES and gas.is_outgrown(op),
        "failure": failure_of(op),
        "still_trying": still_trying(op) or another_way(op),
        "can_prepare_again": op.safe.role == Role.OWNER
        and user_operations.can_prepare_again(op),
        "again_key": uuid.uuid4(),
    } | change_context(op, known)
    if op.was_ever_signed and op.status in (Status.AWAITING_SIGNATURES, *GIVEN_UP):
        context["outlook"] = cancellation.outlook_of(op)
    if found is not None:
        context["share_link"] = f"{settings.SITE_ORIGIN}{_address(op)}"
    if op.status != Status.AWAITING_SIGNATURES:
        return context | {"signatures": signature_details.details_of(op, known)}
    if op.is_payment:
        context["recipient"] = contacts.about(op=op)
    if op.installs_signer:
        context["set_up_owner"] = set_up.shared_owner(op.safe)
    if found is not None and found.is_enough:
        # Another signature would add nothing.
        return context | {"awaits_others": found.is_mine_given}
    if op.safe.role == Role.VIEWER:
        return context  # who only looks is never given anything to sign
    if intents.voided(op):
        return context | {"changed": VOIDED}
    try:
        asked = authorization.signing_request(op=op, user=person(request), known=known)
    except ValueError:
        logger.critical("operation %s was changed after it was prepared", op.pk)
        return context | {"changed": CHANGED.format(noun=op.noun)}
    wallets = wallet_approvals.states(known=known, user=person(request))
    asks = any(wallet.may_sign for wallet in wallets)
    # Polled while nothing on the card is signed: a ceremony would lose its form.
    is_mine = found is not None and found.is_mine_given
    may_touch = asks or bool(asked.get("allowCredentials"))
    return context | {
        "awaits_others": is_mine and not may_touch,
        "signing_request": asked,
        "wallets": wallets,
        "is_checking": any(item.is_checking for item in wallets),
        "asks_wallet": asks,
    }


def _approvals(
    request: HttpRequest, op: UserOperation, known: Signatories
) -> Approvals | None:
    """Return who approved and who is missing, None where one owner signs alone."""
    is_open = op.status == Status.AWAITING_SIGNATURES
    if op.safe.threshold == 1 and not (is_open and op.was_ever_signed):
        return None
    if op.status == Status.DRAFT or op.safe_operation_hash is None:
        return None
    return approvals.approvals_of(op=op, user=person(request), known=known)


def _is_changed(op: UserOperation) -> bool:
    """Whether a prepared row no longer hashes to what was prepared (R15)."""
    if op.status != Status.AWAITING_SIGNATURES and op.safe_operation_hash is None:
        return False  # never prepared
    try:
        authorization.challenge_of(op)
    except ValueError:
        return True
    return False
