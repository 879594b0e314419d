"""Letting a wallet show that it can be a guardian: its address, then its signature.

As in ``wallet_owners`` the address stands in the query, so the page keeps no state.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from onchain.models import KeyProof, Safe, WalletProof
from onchain.protocol.types import Address, checksum_address
from onchain.services import recovery_setups, wallet_proofs
from onchain.views import wallet_answers
from onchain.views.access import (
    account_context,
    button_login_required,
    person,
    proposing_safe,
)
from onchain.wallet_forms import WalletAddressForm, WalletProofForm

FIELD = "wallet"
ROLE = KeyProof.Role.GUARDIAN


@login_required
@require_GET
def guardian_wallet(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The form of an address; with one, the text that it signs."""
    safe = proposing_safe(request, chain_id, address)
    if FIELD not in request.GET:
        return _page(request, safe, {"form": WalletAddressForm(safe=safe)})
    form = WalletAddressForm(request.GET, safe=safe)
    if not form.is_valid():
        return _page(request, safe, {"form": form}, status=422)
    return _page(request, safe, _step(request, safe, form.cleaned_data[FIELD]))


@button_login_required
@require_POST
def guardian_wallet_prove(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Take what the wallet signed; then it can be chosen as a guardian."""
    safe = proposing_safe(request, chain_id, address)
    named = WalletAddressForm(request.POST, safe=safe)
    if not named.is_valid():
        return _page(request, safe, {"form": named}, status=422)
    wallet: Address = named.cleaned_data[FIELD]
    form = WalletProofForm(request.POST)
    if form.is_valid() and _prove(request, safe, wallet, form):
        is_on = recovery_setups.active(safe) is not None
        name = "onchain:guardian-add" if is_on else "onchain:recovery-set-up"
        return redirect(name, chain_id, safe.address_text)
    context = _step(request, safe, wallet) | {"proof_form": form}
    return _page(request, safe, context, status=422)


def _prove(
    request: HttpRequest, safe: Safe, wallet: Address, form: WalletProofForm
) -> bool:
    """Hand on a valid form's answer; why not is said in the form."""
    own = WalletProof.objects.filter(
        user=person(request), safe=safe, address=wallet, role=ROLE
    )
    proof = get_object_or_404(
        own.select_related("safe__chain", "user"), pk=form.cleaned_data["proof"]
    )
    taken = wallet_answers.take(proof, form)
    if taken is None:
        return False
    if taken.status == WalletProof.Status.PROVEN:
        messages.success(request, "The wallet has shown that it signs.")
    return True


def _step(request: HttpRequest, safe: Safe, wallet: Address) -> dict[str, Any]:
    user = person(request)
    return {
        "wallet_text": checksum_address(wallet),
        "proof": wallet_proofs.open_proof(
            user=user, safe=safe, address=wallet, role=ROLE
        ),
    }


def _page(
    request: HttpRequest, safe: Safe, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    where = [safe.chain.chain_id, safe.address_text]
    frame = account_context(request, safe, "owners") | {
        "address_url": reverse("onchain:guardian-wallet", args=where),
        "prove_url": reverse("onchain:guardian-wallet-prove", args=where),
    }
    return render(
        request, "onchain/guardian_wallet.html", frame | context, status=status
    )
