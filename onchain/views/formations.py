"""Making an account with several first owners, and everybody's word for its list."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from accounts.answers import kept_private
from accounts.client_address import client_network
from accounts.models import User
from onchain import tasks
from onchain.errors import (
    FormationRefused,
    InvitationRefused,
    OnchainError,
    SignatureRefused,
)
from onchain.forms import AssertionForm
from onchain.models import Chain, Formation, Safe
from onchain.protocol.types import Address, checksum_address
from onchain.services import (
    formations,
    forming,
    invitations,
    key_proofs,
    wallet_proofs,
)
from onchain.services.forming import Place
from onchain.shared_forms import SeatForm, SharedAccountForm, ThresholdForm
from onchain.views.access import (
    button_login_required,
    fragment_login_required,
    frame_context,
    is_htmx,
    person,
    posted,
)
from onchain.views.invitations import link_of

ACCOUNT = "account"  # the field with the address that the person was shown
CHANGED = (
    "The list was changed since you opened this page, so the account has another "
    "address. Nothing was confirmed. Look at it again."
)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account_shared(request: HttpRequest) -> HttpResponse:
    """The form of a shared account; a valid one begins it."""
    user = person(request)
    if user.is_staff:
        raise PermissionDenied  # an operator's passkey owns no account
    form = SharedAccountForm(user=user, initial={"idempotency_key": uuid.uuid4()})
    status = 200
    if request.method == "POST":
        form = SharedAccountForm(posted(request), user=user)
        status = 422
        if form.is_valid():
            wanted = form.wanted(network=client_network(request))
            chain = Chain.objects.get(chain_id=settings.CHAIN_ID)
            try:
                begun = formations.begin(user=user, chain=chain, wanted=wanted)
            except OnchainError as error:
                form.add_error(None, str(error))
            else:
                return redirect("onchain:formation", begun.pk)
    context = frame_context(request) | {"form": form, "page": "accounts"}
    return render(request, "onchain/account_shared.html", context, status=status)


@login_required
@require_GET
def formation(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole list of owners, how many must approve, and who confirmed."""
    found = own_formation(request, pk)
    context = frame_context(request) | card_context(request, found)
    return render(request, "onchain/formation.html", context)


@fragment_login_required
@require_GET
def formation_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card alone, polled while others or the chain have the next move."""
    context = card_context(request, own_formation(request, pk))
    return render(request, "onchain/_formation_card.html", context)


@fragment_login_required
@require_POST
def formation_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one owner's word: a touch that signs for exactly this address."""
    found = own_formation(request, pk)
    form = AssertionForm(request.POST)
    if form.is_valid():
        _confirm(request, found, form)
        if not form.errors and not is_htmx(request):
            return redirect("onchain:formation", pk)
    context = card_context(request, found) | {"form": form}
    status = 422 if form.errors else 200
    if is_htmx(request):
        name = "onchain/_formation_card.html"
        return render(request, name, context, status=status)
    context = frame_context(request) | context
    return render(request, "onchain/formation.html", context, status=status)


def _confirm(request: HttpRequest, found: Formation, form: AssertionForm) -> None:
    """Hand the answer on; why not is said in the form."""
    place = next_own(forming.places_of(formation=found, user=person(request)))
    safe = found.safe
    if safe is None or request.POST.get(ACCOUNT) != safe.address_text:
        form.add_error(None, CHANGED)
        return
    if place is None or place.seat.credential is None:
        form.add_error(None, "Your passkeys have confirmed this list already.")
        return
    try:
        proof = key_proofs.answer(
            credential=place.seat.credential,
            safe=safe,
            response=form.cleaned_data["credential"],
        )
    except SignatureRefused as error:
        form.add_error(None, str(error))
    else:
        tasks.check_key_proof.delay_on_commit(proof.pk)


@button_login_required
@require_POST
def formation_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change how many must approve, or take one owner off the list."""
    found = own_formation(request, pk)
    user = person(request)
    threshold, seat = ThresholdForm(request.POST), SeatForm(request.POST)
    try:
        if threshold.is_valid():
            number = threshold.cleaned_data["threshold"]
            formations.change_threshold(formation=found, user=user, threshold=number)
        elif seat.is_valid():
            number = seat.cleaned_data["seat"]
            formations.remove_seat(formation=found, user=user, seat_pk=number)
        else:
            return HttpResponse("This form is incomplete.", status=400)
    except FormationRefused as error:
        messages.error(request, str(error))
    return redirect("onchain:formation", pk)


@button_login_required
@require_POST
def formation_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a forming account up."""
    found = own_formation(request, pk)
    try:
        formations.cancel(formation=found, user=person(request))
    except FormationRefused as error:
        messages.error(request, str(error))
        return redirect("onchain:formation", pk)
    messages.success(request, f"{found.name} was given up. Send nothing to it.")
    return redirect("home")


@button_login_required
@require_POST
def formation_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the link for an empty place, and show it once."""
    found = own_formation(request, pk)
    form = SeatForm(request.POST)
    if not form.is_valid() or found.created_by_id != person(request).pk:
        return HttpResponse("This form is incomplete.", status=400)
    seats = found.seats.select_related("invitation").filter(invitation__isnull=False)
    seat = get_object_or_404(seats, pk=form.cleaned_data["seat"])
    try:
        token = invitations.renew(invitation=seat.invitation)
    except InvitationRefused as error:
        messages.error(request, str(error))
        return redirect("onchain:formation", pk)
    context = frame_context(request) | {
        "invitation": seat.invitation,
        "page": "accounts",
        "formation": found,
        "link": link_of(request, token),
    }
    return kept_private(render(request, "onchain/invite_link.html", context))


def own_formation(request: HttpRequest, pk: int) -> Formation:
    """Return a forming account that the person has a part in, or 404."""
    return get_object_or_404(formations.visible_to(person(request)), pk=pk)


def next_own(places: list[Place]) -> Place | None:
    """Return the first of the person's keys that has yet to confirm."""
    for place in places:
        is_waiting = place.owner is not None and not place.is_confirmed
        if place.is_own and is_waiting and not place.is_checking:
            return place
    return None


def card_context(request: HttpRequest, found: Formation) -> dict[str, Any]:
    """Return what the card of a forming account shows, and the one next step."""
    user = person(request)
    places = forming.places_of(formation=found, user=user)
    asked = next_own(places) if found.status == Formation.Status.OPEN else None
    context: dict[str, Any] = {
        "page": "accounts",
        "formation": found,
        "card_id": f"formation-{found.pk}",
        "account": found.safe,
        "places": places,
        "words": forming.words_of(found),
        "is_maker": found.created_by_id == user.pk,
        "missing": sum(not place.has_key for place in places),
        "confirmed": sum(place.is_confirmed for place in places),
        "asked": asked,
    }
    if asked is not None and found.safe is not None:
        context |= _request_to(asked, found.safe, user)
    return context


def _request_to(asked: Place, safe: Safe, user: User) -> dict[str, Any]:
    """Return what the key signs for exactly this address."""
    if asked.seat.credential is not None:
        proof = key_proofs.open_proof(credential=asked.seat.credential, safe=safe)
        return {"signing_request": key_proofs.signing_request(proof=proof)}
    wallet = Address(asked.seat.address or b"")
    return {
        "proof": wallet_proofs.open_proof(user=user, safe=safe, address=wallet),
        "wallet_text": checksum_address(wallet),
    }
