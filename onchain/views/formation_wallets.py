"""A wallet's word for a list of first owners: it signs for exactly their address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from onchain.models import Formation, WalletProof
from onchain.services import forming
from onchain.views import wallet_answers
from onchain.views.access import (
    fragment_login_required,
    frame_context,
    is_htmx,
    person,
)
from onchain.views.formations import CHANGED, card_context, own_formation
from onchain.wallet_forms import WalletProofForm

CARD = "onchain/_formation_card.html"


@fragment_login_required
@require_POST
def formation_prove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take what the wallet of one owner signed."""
    found = own_formation(request, pk)
    form = WalletProofForm(request.POST)
    if form.is_valid():
        _prove(request, found, form)
        if not form.errors and not is_htmx(request):
            return redirect("onchain:formation", pk)
    found = own_formation(request, pk)
    context = card_context(request, found) | {"proof_form": form}
    status = 422 if form.errors else 200
    if is_htmx(request):
        return render(request, CARD, context, status=status)
    context = frame_context(request) | context
    return render(request, "onchain/formation.html", context, status=status)


def _prove(request: HttpRequest, found: Formation, form: WalletProofForm) -> None:
    """Hand the answer on; why not is said in the form."""
    user = person(request)
    # Another list is another account: what was asked for it is gone.
    own = WalletProof.objects.filter(user=user, safe=found.safe, safe__isnull=False)
    related = own.select_related("safe__chain", "user")
    proof = related.filter(pk=form.cleaned_data["proof"]).first()
    if proof is None:
        form.add_error(None, CHANGED)
        return
    places = forming.places_of(formation=found, user=user)
    mine = {place.seat.address for place in places if place.is_own}
    if proof.address not in mine:
        form.add_error(None, CHANGED)
        return
    wallet_answers.take(proof, form)
