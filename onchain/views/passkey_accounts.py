"""Adding a passkey to the accounts it shall pay from: choose, prove, authorise.

What was chosen stands in the address (``?account=...``), so the page keeps no state and
can be opened again at any step.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Credential
from onchain import tasks
from onchain.errors import IdempotencyConflict, OwnerChangeRefused, SignatureRefused
from onchain.forms import AssertionForm, IdempotencyForm
from onchain.models import KeyProof
from onchain.services import addition_rounds, key_proofs, passkey_accounts
from onchain.services.passkey_accounts import PasskeyAccount, State
from onchain.views.access import (
    button_login_required,
    fragment_login_required,
    frame_context,
    is_htmx,
    person,
    posted,
)

CHOICE = "account"  # the field that names a chosen account, once for each
PROVES = "proves"  # the field that names the account of one proof


@login_required
@require_GET
def passkey_accounts_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The accounts of a person and what one of their passkeys may do for each."""
    passkey = _own_passkey(request, pk)
    return _page(request, _card(request, passkey, request.GET.getlist(CHOICE)))


@fragment_login_required
@require_GET
def passkey_accounts_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card alone, polled while the chain has the next move."""
    passkey = _own_passkey(request, pk)
    context = _card(request, passkey, request.GET.getlist(CHOICE))
    return render(request, "passkeys/_passkey_accounts.html", context)


@fragment_login_required
@require_POST
def prove_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the new passkey's answer to a KeyProof for one account."""
    passkey = _own_passkey(request, pk)
    chosen = request.POST.getlist(CHOICE)
    form = AssertionForm(request.POST)
    if form.is_valid():
        _prove(request, passkey, form)
    if form.is_valid() and not is_htmx(request):
        return redirect(_address(passkey, chosen))
    context = _card(request, passkey, chosen)
    context |= {"form": form, "error_title": "The passkey is not proven"}
    status = 422 if form.errors else 200
    if is_htmx(request):
        name = "passkeys/_passkey_accounts.html"
        return render(request, name, context, status=status)
    return _page(request, context, status=status)


def _prove(request: HttpRequest, passkey: Credential, form: AssertionForm) -> None:
    """Hand on a valid form's answer; why not is said in the form."""
    account = _find(_accounts(request, passkey), request.POST.getlist(PROVES))
    if not account:
        form.add_error(None, "This account was not found. Load the page again.")
        return
    try:
        proof = key_proofs.answer(
            credential=passkey,
            safe=account[0].safe,
            response=form.cleaned_data["credential"],
        )
    except SignatureRefused as error:
        form.add_error(None, str(error))
    else:
        tasks.check_key_proof.delay_on_commit(proof.pk)


@button_login_required
@require_POST
def add_to_accounts(request: HttpRequest, pk: int) -> HttpResponse:
    """Draft one operation for each chosen account; the first review opens."""
    passkey = _own_passkey(request, pk)
    form = IdempotencyForm(posted(request))
    names = request.POST.getlist(CHOICE)
    chosen = _find(_accounts(request, passkey), names)
    if not form.is_valid() or not chosen:
        return HttpResponse("This form is incomplete.", status=400)
    try:
        operations = addition_rounds.draft_round(
            safes=[account.safe for account in chosen],
            user=person(request),
            credential=passkey,
            idempotency_key=form.cleaned_data["idempotency_key"],
        )
    except (OwnerChangeRefused, IdempotencyConflict) as error:
        form.add_error(None, str(error))
        context = _card(request, passkey, names)
        context |= {"form": form, "error_title": "Nothing was added"}
        return _page(request, context, status=422)
    for op in operations:
        tasks.prepare_user_operation.delay_on_commit(op.pk)
    return redirect("onchain:operation", operations[0].pk)


def _own_passkey(request: HttpRequest, pk: int) -> Credential:
    """Return one of the person's passkeys that sign in, or 404."""
    return get_object_or_404(Credential.objects.of(person(request)), pk=pk)


def _accounts(request: HttpRequest, passkey: Credential) -> list[PasskeyAccount]:
    return passkey_accounts.accounts_of(user=person(request), credential=passkey)


def _find(
    accounts: Sequence[PasskeyAccount], names: Sequence[str]
) -> list[PasskeyAccount]:
    return [account for account in accounts if str(account.safe.pk) in names]


def _address(passkey: Credential, chosen: Sequence[str]) -> str:
    page = reverse("onchain:passkey-accounts", args=[passkey.pk])
    return f"{page}?{_query(chosen)}"


def _query(names: Sequence[str]) -> str:
    return urlencode([(CHOICE, name) for name in names])


def _page(
    request: HttpRequest, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    context |= frame_context(request)
    return render(request, "passkeys/accounts.html", context, status=status)


def _card(
    request: HttpRequest, passkey: Credential, names: Sequence[str]
) -> dict[str, Any]:
    """Return what the card shows: every account, and the one next step."""
    accounts = _accounts(request, passkey)
    choosable = [account for account in accounts if account.is_choosable]
    chosen = _find(choosable, names)
    if len(choosable) == 1 and not _of(accounts, State.TO_AUTHORISE):
        chosen = choosable  # there is nothing to choose
    context = {
        "passkey": passkey,
        "accounts": accounts,
        "choosable": choosable,
        "chosen": chosen,
        "query": _query([str(account.safe.pk) for account in chosen]),
        "owned": _of(accounts, State.OWNER),
    }
    step = _next_step(passkey, accounts, choosable, chosen)
    # Never while a passkey is being asked, nor while boxes are being ticked.
    is_waiting = step["step"] in {"check", "wait"} or (
        step["step"] == "authorise" and bool(_of(accounts, State.UNDER_WAY))
    )
    return context | step | {"is_waiting": is_waiting}


def _next_step(
    passkey: Credential,
    accounts: list[PasskeyAccount],
    choosable: list[PasskeyAccount],
    chosen: list[PasskeyAccount],
) -> dict[str, Any]:
    unproven = _of(chosen, State.UNPROVEN)
    to_authorise = _of(accounts, State.TO_AUTHORISE)
    if unproven:
        return _proof(passkey, unproven[0]) | {
            "number": len(chosen) - len(unproven) + 1
        }
    if chosen:
        return {"step": "add", "add_key": uuid.uuid4()}
    if to_authorise:
        return {"step": "authorise", "next": to_authorise[0]}
    if choosable:
        return {"step": "choose"}
    return {"step": "wait" if _of(accounts, State.UNDER_WAY) else "done"}


def _proof(passkey: Credential, account: PasskeyAccount) -> dict[str, Any]:
    """Return the proof that is asked for, or the one that the chain checks."""
    proof = key_proofs.latest(credential=passkey, safe=account.safe)
    # Proven by now: the worker was faster than the reads of this request.
    if proof is not None and proof.status != KeyProof.Status.REFUSED:
        return {"step": "check", "next": account}
    asked = key_proofs.open_proof(credential=passkey, safe=account.safe)
    return {
        "step": "prove",
        "next": account,
        "is_refused": proof is not None,
        "signing_request": key_proofs.signing_request(proof=asked),
    }


def _of(accounts: Sequence[PasskeyAccount], state: State) -> list[PasskeyAccount]:
    return [account for account in accounts if account.state == state]
