"""Accepting an invitation with a browser wallet instead of a passkey (R6, R62).

The address stands in the query (``?wallet=0x...``), as where an owner adds a wallet.
The passkey that the guest signed in with names the person and signs nothing here.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from onchain import tasks
from onchain.errors import FormationRefused, InvitationRefused, SignatureRefused
from onchain.models import Invitation, Role, WalletProof
from onchain.protocol.types import Address, checksum_address
from onchain.services import acceptances, seats, wallet_proofs
from onchain.views.access import button_login_required, frame_context, person
from onchain.views.invitation_links import received
from onchain.wallet_forms import WalletAddressForm, WalletProofForm

FIELD = "wallet"


@login_required
@require_GET
def invitation_wallet(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of an address; with one, the text that it signs."""
    found = _received(request, pk)
    if FIELD not in request.GET:
        return _page(request, found, {"form": WalletAddressForm(safe=found.safe)})
    form = WalletAddressForm(request.GET, safe=found.safe)
    if not form.is_valid():
        return _page(request, found, {"form": form}, status=422)
    return _page(request, found, _step(request, found, form.cleaned_data[FIELD]))


@button_login_required
@require_POST
def invitation_wallet_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze the wallet that signed the text; the guest's page says what is next."""
    found = _received(request, pk)
    address = WalletAddressForm(request.POST, safe=found.safe)
    if not address.is_valid():
        return _page(request, found, {"form": address}, status=422)
    wallet = address.cleaned_data[FIELD]
    if found.safe is None:
        return _sit_down(request, found, wallet, address)
    form = WalletProofForm(request.POST)
    if form.is_valid() and _accept(request, found, form):
        return redirect("onchain:invitation", pk)
    context = _step(request, found, wallet) | {"proof_form": form}
    return _page(request, found, context, status=422)


def _sit_down(
    request: HttpRequest, found: Invitation, wallet: Address, form: WalletAddressForm
) -> HttpResponse:
    """Put the wallet on a list; it signs once the list has an address."""
    try:
        seats.fill_seat_with_wallet(
            invitation=found, user=person(request), wallet=wallet
        )
    except FormationRefused as error:
        form.add_error(None, str(error))
        return _page(request, found, {"form": form}, status=422)
    return redirect("onchain:invitation", found.pk)


def _accept(request: HttpRequest, found: Invitation, form: WalletProofForm) -> bool:
    """Hand on a valid form's answer; why not is said in the form."""
    own = WalletProof.objects.filter(user=person(request), safe=found.safe)
    proof = get_object_or_404(
        own.select_related("safe__chain", "user"), pk=form.cleaned_data["proof"]
    )
    try:
        proof = acceptances.accept_with_wallet(
            invitation=found,
            user=person(request),
            proof=proof,
            signature=form.cleaned_data["signature"],
            account=form.cleaned_data["account"],
        )
    except (InvitationRefused, SignatureRefused) as error:
        form.add_error(None, str(error))
        return False
    if proof.status == WalletProof.Status.SIGNED:
        tasks.check_wallet_proof.delay_on_commit(proof.pk)
    return True


def _received(request: HttpRequest, pk: int) -> Invitation:
    """Return an invitation to sign for an account, or 404."""
    found = received(request, pk)
    if found.status == Invitation.Status.REVOKED or found.role == Role.VIEWER:
        raise Http404
    return found


def _step(request: HttpRequest, found: Invitation, wallet: Address) -> dict[str, Any]:
    context: dict[str, Any] = {"wallet_text": checksum_address(wallet)}
    if found.safe is not None:
        context["proof"] = wallet_proofs.open_proof(
            user=person(request),
            safe=found.safe,
            address=wallet,
            role=acceptances.proof_role(found),
        )
    return context


def _page(
    request: HttpRequest,
    found: Invitation,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    frame = frame_context(request) | {
        "page": "accounts",
        "invitation": found,
        "account": found.safe,
        "formation": None if found.seat is None else found.seat.formation,
        "address_url": reverse("onchain:invitation-wallet", args=[found.pk]),
    }
    return render(
        request, "onchain/invitation_wallet.html", frame | context, status=status
    )
