"""A link that invites somebody, and accepting it: the guest's side (R62, R63)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.answers import kept_private, see_other
from accounts.frame import render_framed
from accounts.models import Credential, User
from onchain import tasks
from onchain.errors import FormationRefused, InvitationRefused, SignatureRefused
from onchain.forms import AssertionForm
from onchain.models import Invitation, KeyProof, Role
from onchain.people_forms import FOR_GUEST, LinkForm
from onchain.services import acceptances, invitations, roles, seats
from onchain.views.access import (
    fragment_login_required,
    frame_context,
    is_htmx,
    person,
)

PASSKEY = "passkey"  # the field that names the passkey to accept with
AGAIN = "again"


@require_safe
def invitation_link(request: HttpRequest) -> HttpResponse:
    """The page of a link, which changes nothing; the token stays in the browser."""
    return kept_private(render_framed(request, "onchain/invitation_link.html", {}))


@require_POST
def invitation_open(request: HttpRequest) -> HttpResponse:
    """Give the invitation of a link to who is signed in."""
    form = LinkForm(request.POST)
    try:
        if not form.is_valid() or not isinstance(request.user, User):
            raise InvitationRefused
        opened = invitations.take(token=form.cleaned_data["token"], user=request.user)
    except InvitationRefused as error:
        context = {"words": str(error)}
        name = "onchain/invitation_refused.html"
        return kept_private(render_framed(request, name, context, status=410))
    url = reverse("onchain:invitation", args=[opened.pk])
    return kept_private(see_other(request, url))


@login_required
@require_GET
def invitation(request: HttpRequest, pk: int) -> HttpResponse:
    """What the person was invited to, and how far it is."""
    found = received(request, pk)
    context = frame_context(request) | _card(request, found)
    return render(request, "onchain/invitation.html", context)


@fragment_login_required
@require_GET
def invitation_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card alone, polled while the chain or an owner has the next move."""
    context = _card(request, received(request, pk))
    return render(request, "onchain/_invitation_card.html", context)


@fragment_login_required
@require_POST
def invitation_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the guest's key, proven by a touch where the role needs one."""
    found = received(request, pk)
    form = AssertionForm(request.POST)
    is_complete = not _needs_touch(found) or form.is_valid()
    if is_complete and _accept(request, found, form) and not is_htmx(request):
        return redirect("onchain:invitation", pk)
    found = received(request, pk)
    wanted = request.POST.get(PASSKEY, "")
    context = _card(request, found, wanted=wanted, is_again=bool(form.errors))
    context |= {"form": form}
    status = 422 if form.errors else 200
    if is_htmx(request):
        name = "onchain/_invitation_card.html"
        return render(request, name, context, status=status)
    context = frame_context(request) | context
    return render(request, "onchain/invitation.html", context, status=status)


def _accept(request: HttpRequest, found: Invitation, form: AssertionForm) -> bool:
    """Accept with the chosen passkey; say why not in the form."""
    user = person(request)
    passkey = _passkey(request, request.POST.get(PASSKEY, ""))
    try:
        if passkey is None:
            raise InvitationRefused("None of your passkeys is in use. Add one first.")
        if not _needs_touch(found):
            form.errors.clear()
        if found.seat is not None:
            seats.fill_seat(invitation=found, user=user, credential=passkey)
        elif found.role == Role.VIEWER:
            acceptances.accept_to_look(invitation=found, user=user, credential=passkey)
        else:
            proof = acceptances.accept_with_proof(
                invitation=found,
                user=user,
                credential=passkey,
                response=form.cleaned_data["credential"],
            )
            tasks.check_key_proof.delay_on_commit(proof.pk)
    except (FormationRefused, InvitationRefused, SignatureRefused) as error:
        form.add_error(None, str(error))
        return False
    return True


def received(request: HttpRequest, pk: int) -> Invitation:
    """Return an invitation that the person opened, or 404."""
    rows = Invitation.objects.filter(accepted_by=person(request))
    related = (
        *("safe__chain", "seat__formation__chain"),
        *("key_proof", "wallet_proof", "credential", "created_by"),
    )
    return get_object_or_404(rows.select_related(*related), pk=pk)


def _passkey(request: HttpRequest, wanted: str) -> Credential | None:
    session = request.session.get("credential")
    return acceptances.chosen_passkey(person(request), wanted, session)


def _card(
    request: HttpRequest, found: Invitation, *, wanted: str = "", is_again: bool = False
) -> dict[str, Any]:
    safe = found.safe
    user = person(request)
    passkey = _passkey(request, wanted or request.GET.get(PASSKEY, ""))
    proof = found.key_proof or found.wallet_proof
    context: dict[str, Any] = {
        "page": "accounts",
        "invitation": found,
        "account": safe,
        "formation": None if found.seat is None else found.seat.formation,
        "meaning": FOR_GUEST[found.role],
        "words": invitations.words_of(found),
        "step": _step(found, is_again=is_again or AGAIN in request.GET),
        "proof": proof,
        "key_kind": "wallet" if found.wallet_proof_id else "passkey",
        "passkey": passkey,
        "own_passkeys": acceptances.own_passkeys(user),
        "may_use_wallet": found.role != Role.VIEWER,
        "own_role": None if safe is None else roles.role_of(safe=safe, user=user),
    }
    is_asked = context["step"] == "accept" and _needs_touch(found)
    if is_asked and passkey is not None:
        context["signing_request"] = acceptances.proof_request(
            invitation=found, credential=passkey
        )
    return context


def _needs_touch(found: Invitation) -> bool:
    """Whether accepting takes a proof; a place on a list has no address yet."""
    return found.safe is not None and found.role != Role.VIEWER


def _step(found: Invitation, *, is_again: bool) -> str:
    """Return what is next: accept, check, compare, wait; or that it was revoked."""
    if found.status == Invitation.Status.REVOKED:
        return "revoked"
    if found.status == Invitation.Status.OPEN or is_again:
        return "accept"
    proof = found.key_proof or found.wallet_proof
    if proof is not None and proof.status == KeyProof.Status.REFUSED:
        return "accept"
    if proof is not None and proof.status == KeyProof.Status.SIGNED:
        return "check"
    return "compare" if found.status == Invitation.Status.ACCEPTED else "wait"
