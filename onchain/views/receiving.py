"""Proving a passkey, and then giving the address."""

from __future__ import annotations

from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from onchain import tasks
from onchain.change_words import FIRST_OWNERS
from onchain.errors import NotYourAccount, SignatureRefused
from onchain.forms import AssertionForm
from onchain.models import KeyProof, Owner, Role, Safe
from onchain.services import configurations, first_owners, key_proofs, signatories
from onchain.services.passkeys import passkey_of
from onchain.views.access import (
    account_context,
    fragment_login_required,
    is_htmx,
    leads_to_forming,
    own_safe,
    person,
    render_card,
    require_formed,
    signing_safe,
)


@login_required
@leads_to_forming
@require_GET
def receive(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The address with QR once the passkey has proven itself (security.md R6)."""
    safe = own_safe(request, chain_id, address)
    require_formed(safe)
    try:
        card = _card(request, safe)
    except NotYourAccount as error:
        messages.error(request, str(error))
        return redirect("onchain:safe-detail", chain_id, safe.address_text)
    context = account_context(request, safe, "receive") | card
    return render(request, "onchain/receive.html", context)


@fragment_login_required
@require_GET
def receive_card(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The card alone, polled while the chain checks a proof."""
    safe = own_safe(request, chain_id, address)
    require_formed(safe)
    try:
        card = _card(request, safe)
    except NotYourAccount as error:
        raise Http404 from error
    return render(request, "onchain/_receive_card.html", card)


@fragment_login_required
@require_POST
def prove(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Take the passkey's answer to a KeyProof."""
    safe = signing_safe(request, chain_id, address)
    form = AssertionForm(request.POST)
    try:
        owner = key_proofs.own_owner(safe=safe, user=person(request))
    except NotYourAccount as error:
        raise Http404 from error
    if form.is_valid():
        response = form.cleaned_data["credential"]
        try:
            proof = key_proofs.answer(
                credential=passkey_of(owner), safe=safe, response=response
            )
        except SignatureRefused as error:
            form.add_error(None, str(error))
        else:
            tasks.check_key_proof.delay_on_commit(proof.pk)
            if not is_htmx(request):
                return redirect("onchain:receive", chain_id, safe.address_text)
    context = _card(request, safe) | {"form": form}
    status = 422 if form.errors else 200
    return render_card(request, "receive", context, page="receive", status=status)


def _own_owner(safe: Safe, user: User) -> Owner:
    """Return the person's first key; a wallet has proven itself when it is theirs.

    Raises:
        NotYourAccount: there is none that signs.
    """
    try:
        return key_proofs.own_owner(safe=safe, user=user)
    except NotYourAccount:
        wallets = signatories.own_wallets(safe=safe, user=user)
        if not wallets or wallets[0].proven_at is None:
            raise
        return wallets[0]


def _card(request: HttpRequest, safe: Safe) -> dict[str, Any]:
    context: dict[str, Any] = {"safe": safe}
    if safe.role != Role.VIEWER:
        context["owner"] = _own_owner(safe, person(request))
    foreign = configurations.unacknowledged(safe=safe, user=person(request))
    if foreign is not None:
        return context | {"foreign": foreign, "seen": f"0x{foreign.seen_hash.hex()}"}
    if safe.role == Role.VIEWER:
        return context | _seen(safe)
    owner = context["owner"]
    if owner.proven_at is not None:
        return context | _proven(safe)
    credential = passkey_of(owner)
    proof = key_proofs.latest(credential=credential, safe=safe)
    # The worker may have heard the chain since the owner was read.
    if proof is not None and proof.status == KeyProof.Status.PROVEN:
        return context | _proven(safe)
    context |= {"is_proven": False, "proof": proof}
    if proof is None or proof.status != KeyProof.Status.SIGNED:
        asked = key_proofs.open_proof(credential=credential, safe=safe)
        context["signing_request"] = key_proofs.signing_request(proof=asked)
    return context


def _seen(safe: Safe) -> dict[str, Any]:
    """Return what who only looks sees: a key of somebody else's must have proven."""
    proven = safe.owners.current().filter(proven_at__isnull=False)
    return _proven(safe) if proven.exists() else {"is_proven": False}


def _proven(safe: Safe) -> dict[str, Any]:
    context: dict[str, Any] = {"is_proven": True, "qr_svg": _qr_svg(safe.address_text)}
    if first_owners.have_left(safe=safe):
        context["first_owners"] = FIRST_OWNERS
    return context


def _qr_svg(address_text: str) -> str:
    """Return the address as an inline SVG without styles, for the CSP."""
    svg = segno.make(address_text, error="m", micro=False).svg_inline(
        svgclass=None, lineclass=None, omitsize=True, border=2
    )
    return mark_safe(svg)  # noqa: S308 -- segno's own drawing of hex digits
