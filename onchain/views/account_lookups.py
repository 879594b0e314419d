"""Adding an account that was made elsewhere, by its address."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from onchain import tasks
from onchain.account_forms import ExistingAccountForm
from onchain.errors import SignatureRefused, TooManyLookups
from onchain.forms import AssertionForm
from onchain.lookup_words import NOTHING_CHANGED, refusal_of
from onchain.models import AccountLookup, Chain, KeyProof
from onchain.protocol.deployments import SHARED_SIGNER
from onchain.protocol.types import checksum_address
from onchain.services import account_lookups, key_proofs
from onchain.views.access import fragment_login_required, is_htmx, person

Status = AccountLookup.Status
PAGE = "onchain/account_lookup.html"
CARD = "onchain/_account_lookup_card.html"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account_add(request: HttpRequest) -> HttpResponse:
    """The form of an address; a valid one is read by a worker."""
    user = person(request)
    if user.is_staff:
        raise PermissionDenied  # an operator's passkey owns no account
    form = ExistingAccountForm()
    status = 200
    if request.method == "POST":
        form = ExistingAccountForm(request.POST)
        status = 422
        if form.is_valid():
            chain = Chain.objects.get(chain_id=settings.CHAIN_ID)
            address = form.cleaned_data["address"]
            try:
                lookup = account_lookups.ask(user=user, chain=chain, address=address)
            except TooManyLookups as error:
                form.add_error(None, str(error))
            else:
                tasks.read_account.delay_on_commit(lookup.pk)
                return redirect("onchain:account-lookup", lookup.pk)
    context = {"form": form, "chain_name": settings.CHAIN_NAME}
    return render(request, "onchain/account_add.html", context, status=status)


@login_required
@require_GET
def account_lookup(request: HttpRequest, pk: int) -> HttpResponse:
    """What the chain says about one address, and the touch that adds it."""
    return render(request, PAGE, _card(_own_lookup(request, pk)))


@fragment_login_required
@require_GET
def account_lookup_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card alone, polled while a worker or the chain has the next move."""
    return render(request, CARD, _card(_own_lookup(request, pk)))


@fragment_login_required
@require_POST
def account_lookup_prove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the passkey's answer to a KeyProof, which adds the account."""
    lookup = _own_lookup(request, pk)
    form = AssertionForm(request.POST)
    if form.is_valid():
        _prove(lookup, form)
    if form.is_valid() and not is_htmx(request):
        return redirect("onchain:account-lookup", pk)
    status = 422 if form.errors else 200
    name = CARD if is_htmx(request) else PAGE
    return render(request, name, _card(lookup) | {"form": form}, status=status)


def _prove(lookup: AccountLookup, form: AssertionForm) -> None:
    """Hand on a valid form's answer; why not is said in the form."""
    if lookup.safe is None or lookup.credential is None:
        raise Http404
    try:
        proof = key_proofs.answer(
            credential=lookup.credential,
            safe=lookup.safe,
            response=form.cleaned_data["credential"],
        )
    except SignatureRefused as error:
        form.add_error(None, str(error))
    else:
        tasks.check_key_proof.delay_on_commit(proof.pk)


def _own_lookup(request: HttpRequest, pk: int) -> AccountLookup:
    """Return one of the person's own questions, or 404."""
    own = AccountLookup.objects.visible_to(person(request))
    related = ("user", "chain", "safe__chain", "credential")
    return get_object_or_404(own.select_related(*related), pk=pk)


def _card(lookup: AccountLookup) -> dict[str, Any]:
    """Return what the card shows: what is known, and the one next step."""
    context: dict[str, Any] = {"lookup": lookup, "nothing_changed": NOTHING_CHANGED}
    if lookup.own_address is not None:
        context["own_address_text"] = checksum_address(lookup.own_address)
        context["is_on_shared_signer"] = lookup.own_address == SHARED_SIGNER
    if lookup.status == Status.REFUSED:
        refusal = refusal_of(lookup.failure_code)
        return context | {"step": "refused", "refusal": refusal}
    if lookup.status != Status.FOUND or lookup.safe is None:
        return context | {"step": "reading", "is_waiting": True}
    if account_lookups.is_added(lookup):
        return context | {"step": "added"}
    if lookup.credential is None:
        raise Http404
    proof = key_proofs.latest(credential=lookup.credential, safe=lookup.safe)
    if proof is not None and proof.status != KeyProof.Status.REFUSED:
        return context | {"step": "checking", "is_waiting": True}
    asked = key_proofs.open_proof(credential=lookup.credential, safe=lookup.safe)
    return context | {
        "step": "prove",
        "is_refused": proof is not None,
        "signing_request": key_proofs.signing_request(proof=asked),
    }
