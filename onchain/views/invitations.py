"""Inviting people to an account, and confirming who accepted: the owner's side."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from accounts.answers import kept_private
from onchain import tasks
from onchain.errors import (
    IdempotencyConflict,
    InvitationRefused,
    OwnerChangeRefused,
)
from onchain.models import Invitation, Membership, Role, Safe, UserOperation
from onchain.owner_forms import AdditionForm
from onchain.people_forms import (
    MEANING,
    ConfirmWordsForm,
    InviteForm,
)
from onchain.services import acceptances, invitations, memberships, owner_changes
from onchain.views.access import (
    account_context,
    button_login_required,
    fragment_login_required,
    is_htmx,
    leads_to_forming,
    own_safe,
    person,
    posted,
    proposing_safe,
)


@login_required
@leads_to_forming
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The form of an invitation; a valid one answers the link, once."""
    safe = proposing_safe(request, chain_id, address)
    context = account_context(request, safe, "owners")
    form = InviteForm(initial={"role": request.GET.get("role")})
    status = 200
    if request.method == "POST":
        form = InviteForm(request.POST)
        status = 422
        if form.is_valid():
            try:
                invitation, token = invitations.issue(
                    safe=safe,
                    user=person(request),
                    role=form.cleaned_data["role"],
                    name=form.cleaned_data["name"],
                )
            except InvitationRefused as error:
                form.add_error(None, str(error))
            else:
                context |= {"invitation": invitation, "link": link_of(request, token)}
                page = render(request, "onchain/invite_link.html", context)
                return kept_private(page)
    context |= {"form": form}
    return render(request, "onchain/invite.html", context, status=status)


def link_of(request: HttpRequest, token: str) -> str:
    """Return the link to send, its token in the fragment that no browser sends."""
    page = request.build_absolute_uri(reverse("onchain:invitation-link"))
    return f"{page}#{token}"


@login_required
@require_GET
def invited(request: HttpRequest, chain_id: int, address: str, pk: int) -> HttpResponse:
    """One invitation: whether it was accepted, and the words to compare."""
    safe, invitation = _sent(request, chain_id, address, pk)
    return _page(request, safe, invitation, status=200)


@fragment_login_required
@require_GET
def invited_card(
    request: HttpRequest, chain_id: int, address: str, pk: int
) -> HttpResponse:
    """The card alone, polled while the guest or the chain has the next move."""
    safe, invitation = _sent(request, chain_id, address, pk)
    return render(request, "onchain/_invited_card.html", _card(safe, invitation))


@button_login_required
@require_POST
def invited_confirm(
    request: HttpRequest, chain_id: int, address: str, pk: int
) -> HttpResponse:
    """Take the owner's word that both saw the same words."""
    safe, invitation = _sent(request, chain_id, address, pk)
    form = ConfirmWordsForm(request.POST)
    if not form.is_valid():
        return HttpResponse("This form is incomplete.", status=400)
    try:
        acceptances.confirm(
            invitation=invitation,
            user=person(request),
            words=form.cleaned_data["words"],
        )
    except InvitationRefused as error:
        messages.error(request, str(error))
    else:
        if invitation.role == Role.VIEWER:
            messages.success(request, f"{invitation.name} sees this account now.")
    return redirect("onchain:invited", chain_id, safe.address_text, pk)


@button_login_required
@require_POST
def invited_add(
    request: HttpRequest, chain_id: int, address: str, pk: int
) -> HttpResponse:
    """Ask for the operation that makes a confirmed key an owner; its review opens."""
    safe, invitation = _sent(request, chain_id, address, pk)
    form = AdditionForm(posted(request), safe=safe)
    if form.is_valid():
        try:
            op = owner_changes.draft_invited_owner(
                invitation=invitation,
                user=person(request),
                idempotency_key=form.cleaned_data["idempotency_key"],
                threshold=form.cleaned_data["threshold"],
                period_seconds=form.period_seconds(),
            )
        except (IdempotencyConflict, OwnerChangeRefused) as error:
            form.add_error(None, str(error))
        else:
            tasks.prepare_user_operation.delay_on_commit(op.pk)
            return redirect("onchain:operation", op.pk)
    return _page(request, safe, invitation, status=422, form=form)


@button_login_required
@require_POST
def invited_revoke(
    request: HttpRequest, chain_id: int, address: str, pk: int
) -> HttpResponse:
    """Take an invitation back."""
    safe, invitation = _sent(request, chain_id, address, pk)
    invitations.revoke(invitation=invitation, user=person(request))
    messages.success(request, f"The invitation of {invitation.name} is taken back.")
    return redirect("onchain:owners", chain_id, safe.address_text)


@button_login_required
@require_POST
def membership_end(
    request: HttpRequest, chain_id: int, address: str, pk: int
) -> HttpResponse:
    """End what a viewer sees; an approver's key is removed by an operation instead."""
    safe = proposing_safe(request, chain_id, address)
    rows = safe.memberships.filter(ended_at=None).select_related("user")
    membership: Membership = get_object_or_404(rows, pk=pk)
    memberships.end_all(safe=safe, user=membership.user)
    messages.success(request, "They see this account no more.")
    return redirect("onchain:owners", chain_id, safe.address_text)


@button_login_required
@require_POST
def membership_leave(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """End what the person sees of an account; only who has no key of it can leave."""
    safe = own_safe(request, chain_id, address)
    if request.POST.get("leave") != "yes":
        return HttpResponse("This form is incomplete.", status=400)
    if safe.role != Role.VIEWER:
        words = "Your key is an owner of this account. An owner has to remove it first."
        messages.error(request, words)
        return redirect("onchain:owners", chain_id, safe.address_text)
    memberships.end_all(safe=safe, user=person(request))
    messages.success(request, f"You left {safe.name}.")
    return redirect("home")


def _sent(
    request: HttpRequest, chain_id: int, address: str, pk: int
) -> tuple[Safe, Invitation]:
    """Return an invitation to an account that the person owns, else 403 or 404."""
    safe = proposing_safe(request, chain_id, address)
    rows = Invitation.objects.filter(safe=safe).select_related(
        "safe__chain", "key_proof", "wallet_proof", "credential", "accepted_by"
    )
    return safe, get_object_or_404(rows, pk=pk)


def _card(safe: Safe, invitation: Invitation) -> dict[str, Any]:
    words = invitations.words_of(invitation)
    is_checked = invitation.accepted_at is not None and acceptances.is_checked(
        invitation
    )
    current = safe.owners.current().filter(address=invitation.address)
    is_owner = invitation.address is not None and current.exists()
    pending = UserOperation.objects.filter(invitation=invitation)
    return {
        "form": AdditionForm(safe=safe, initial={"idempotency_key": uuid.uuid4()}),
        "pending": pending.filter(status__in=acceptances.UNDER_WAY).first(),
        "safe": safe,
        "invitation": invitation,
        "words": words,
        "spoken": " ".join(words),
        "is_checked": is_checked,
        "is_owner": is_owner,
        "meaning": MEANING[invitation.role],
    }


def _page(
    request: HttpRequest,
    safe: Safe,
    invitation: Invitation,
    *,
    status: int,
    form: AdditionForm | None = None,
) -> HttpResponse:
    context = account_context(request, safe, "owners") | _card(safe, invitation)
    context |= {} if form is None else {"form": form}
    name = "onchain/_invited_card.html" if is_htmx(request) else "onchain/invited.html"
    return render(request, name, context, status=status)
