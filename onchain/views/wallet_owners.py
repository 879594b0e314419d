"""Making a wallet an owner: its address, its proof, then the operation.

The address stands in the query (``?wallet=0x...``), so the page keeps no state and can
be opened again at any step.
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from onchain import tasks
from onchain.errors import IdempotencyConflict, OwnerChangeRefused
from onchain.models import Safe, WalletProof
from onchain.protocol.types import Address, checksum_address
from onchain.services import change_lane, owner_changes, wallet_proofs
from onchain.views import wallet_answers
from onchain.views.access import (
    account_context,
    button_login_required,
    fragment_login_required,
    is_htmx,
    person,
    posted,
    proposing_safe,
)
from onchain.wallet_forms import AddWalletForm, WalletAddressForm, WalletProofForm

FIELD = "wallet"
CARD = "onchain/_wallet_owner_card.html"


@login_required
@require_GET
def wallet_owner(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The form of an address; with one, how far it is."""
    safe = proposing_safe(request, chain_id, address)
    if FIELD not in request.GET:
        return _page(request, safe, {"form": WalletAddressForm(safe=safe)})
    form = WalletAddressForm(request.GET, safe=safe)
    if not form.is_valid():
        return _page(request, safe, {"form": form}, status=422)
    return _page(request, safe, _card(request, safe, form.cleaned_data[FIELD]))


@fragment_login_required
@require_GET
def wallet_owner_card(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """The card alone, polled while the chain has the next move."""
    safe = proposing_safe(request, chain_id, address)
    wallet = _wallet(safe, request.GET.get(FIELD, ""))
    return render(request, CARD, _card(request, safe, wallet))


@fragment_login_required
@require_POST
def wallet_owner_prove(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Take what the wallet signed."""
    safe = proposing_safe(request, chain_id, address)
    wallet = _wallet(safe, request.POST.get(FIELD, ""))
    form = WalletProofForm(request.POST)
    if form.is_valid():
        _prove(request, safe, wallet, form)
    if form.is_valid() and not is_htmx(request):
        return redirect(_address(safe, wallet))
    context = _card(request, safe, wallet) | {"proof_form": form}
    status = 422 if form.errors else 200
    if is_htmx(request):
        return render(request, CARD, context, status=status)
    return _page(request, safe, context, status=status)


def _prove(
    request: HttpRequest, safe: Safe, wallet: Address, form: WalletProofForm
) -> None:
    """Hand on a valid form's answer; why not is said in the form."""
    own = WalletProof.objects.filter(user=person(request), safe=safe, address=wallet)
    proof = get_object_or_404(
        own.select_related("safe__chain", "user"), pk=form.cleaned_data["proof"]
    )
    wallet_answers.take(proof, form)


@button_login_required
@require_POST
def wallet_owner_add(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Draft the operation that makes the wallet an owner; its review opens."""
    safe = proposing_safe(request, chain_id, address)
    wallet = _wallet(safe, request.POST.get(FIELD, ""))
    is_proven = wallet_proofs.is_proven(safe=safe, address=wallet)
    form = AddWalletForm(posted(request), safe=safe, is_proven=is_proven)
    if form.is_valid():
        try:
            op = owner_changes.draft_wallet(
                safe=safe,
                user=person(request),
                address=wallet,
                idempotency_key=form.cleaned_data["idempotency_key"],
                is_proof_waived=not is_proven,
                threshold=form.cleaned_data["threshold"],
                period_seconds=form.period_seconds(),
            )
        except (OwnerChangeRefused, IdempotencyConflict) as error:
            form.add_error(None, str(error))
        else:
            tasks.prepare_user_operation.delay_on_commit(op.pk)
            return redirect("onchain:operation", op.pk)
    context = _card(request, safe, wallet) | {"form": form}
    return _page(request, safe, context, status=422)


def _wallet(safe: Safe, text: str) -> Address:
    form = WalletAddressForm({FIELD: text}, safe=safe)
    if not form.is_valid():
        raise BadRequest("no address that could be an owner")
    wallet: Address = form.cleaned_data[FIELD]
    return wallet


def _address(safe: Safe, wallet: Address) -> str:
    page = reverse(
        "onchain:wallet-owner", args=[safe.chain.chain_id, safe.address_text]
    )
    return f"{page}?{urlencode({FIELD: checksum_address(wallet)})}"


def _page(
    request: HttpRequest, safe: Safe, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    context = account_context(request, safe, "owners") | context
    return render(request, "onchain/wallet_owner.html", context, status=status)


def _card(request: HttpRequest, safe: Safe, wallet: Address) -> dict[str, Any]:
    """Return what the card shows: the wallet, and the one next step."""
    context: dict[str, Any] = {"safe": safe, "wallet_text": checksum_address(wallet)}
    owner = safe.owners.current().filter(address=wallet).first()
    if owner is not None and owner.is_linked:
        return context | {"step": "owner"}
    pending = change_lane.adding(safe=safe, address=wallet)
    if pending is not None and owner is None:
        return context | {"step": "pending", "pending": pending, "is_waiting": True}
    if wallet_proofs.is_proven(safe=safe, address=wallet):
        if owner is not None:  # its owners are read again soon
            return context | {"step": "linking", "is_waiting": True}
        return context | {"step": "add", "form": _add_form(safe, is_proven=True)}
    user = person(request)
    latest = wallet_proofs.latest(user=user, safe=safe, address=wallet)
    # Proven by now: the worker was faster than the reads of this request.
    if latest is not None and latest.status != WalletProof.Status.REFUSED:
        return context | {"step": "checking", "is_waiting": True}
    return context | {
        "step": "prove",
        "is_refused": latest is not None,
        "is_owner": owner is not None,
        "proof": wallet_proofs.open_proof(user=user, safe=safe, address=wallet),
        "form": _add_form(safe, is_proven=False),
    }


def _add_form(safe: Safe, *, is_proven: bool) -> AddWalletForm:
    initial = {"idempotency_key": uuid.uuid4()}
    return AddWalletForm(initial=initial, safe=safe, is_proven=is_proven)
