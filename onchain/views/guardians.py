"""The guardian's side: whom I protect, what is asked of me, one button."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.answers import kept_private, see_other
from accounts.frame import render_framed
from accounts.models import User
from onchain import recovery_tasks
from onchain.errors import RecoveryRefused, SignatureRefused
from onchain.forms import AssertionForm, WalletAnswerForm
from onchain.models import AccountClaim, Guardian, GuardianApproval
from onchain.people_forms import LinkForm
from onchain.recovery_words import stop_of
from onchain.services import (
    claim_contents,
    drill_answers,
    guardian_approvals,
    guardian_inbox,
    recovery_claims,
)
from onchain.services.recovery_stand_in import in_words
from onchain.views import guardian_drills
from onchain.views.access import (
    button_login_required,
    fragment_login_required,
    frame_context,
    is_htmx,
    person,
)

OPENED = "recovery_claims"  # of the session: the claims whose links it opened
PAGE = "onchain/guardian_claim.html"
CARD = "onchain/_guardian_claim_card.html"
Status = GuardianApproval.Status


@require_safe
def guardian_link(request: HttpRequest) -> HttpResponse:
    """The page of a link, which changes nothing; the token stays in the browser."""
    return kept_private(render_framed(request, "onchain/guardian_link.html", {}))


@require_POST
def guardian_open(request: HttpRequest) -> HttpResponse:
    """Show the claim of a link to who is signed in."""
    form = LinkForm(request.POST)
    try:
        if not form.is_valid() or not isinstance(request.user, User):
            raise RecoveryRefused("This link does not work. Sign in first.")
        claim = recovery_claims.of_token(form.cleaned_data["token"])
    except RecoveryRefused as error:
        name = "onchain/guardian_refused.html"
        context = {"words": str(error)}
        return kept_private(render_framed(request, name, context, status=410))
    opened = [*request.session.get(OPENED, []), claim.pk]
    request.session[OPENED] = list(dict.fromkeys(opened))[-20:]
    return kept_private(see_other(request, reverse("onchain:guardian-inbox")))


@login_required
@require_GET
def guardian_inbox_page(request: HttpRequest) -> HttpResponse:
    """Whom the person protects, and what is asked of them."""
    user = person(request)
    opened = request.session.get(OPENED, [])
    guarded = Guardian.objects.of(user).select_related("setup__safe__chain")
    context = frame_context(request) | {
        "page": "guardian",
        "asked": guardian_inbox.asked_of(user=user, opened=opened),
        "drills": drill_answers.asked_of(
            user=user, opened=guardian_drills.opened(request)
        ),
        "guarded": guarded.filter(setup__is_enabled=True),
    }
    return render(request, "onchain/guardian_inbox.html", context)


@login_required
@require_GET
def guardian_claim(request: HttpRequest, pk: int) -> HttpResponse:
    """Who asks for which account, and what would become of it."""
    return _page(request, _asked(request, pk), {})


@fragment_login_required
@require_GET
def guardian_claim_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card alone, polled while the chain checks what was signed."""
    return render(request, CARD, _card(request, _asked(request, pk)))


@button_login_required
@require_POST
def guardian_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a passkey guardian's signature."""
    row = _asked(request, pk)
    form = AssertionForm(request.POST)
    if form.is_valid():
        try:
            approval = guardian_approvals.sign_with_passkey(
                row=row,
                user=person(request),
                response=form.cleaned_data["credential"],
            )
        except (RecoveryRefused, SignatureRefused) as error:
            form.add_error(None, str(error))
        else:
            recovery_tasks.check_guardian_approval.delay_on_commit(approval.pk)
    return _answer(request, row, form)


@button_login_required
@require_POST
def guardian_approve_wallet(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the signature of a wallet or a contract that is a guardian."""
    row = _asked(request, pk)
    form = WalletAnswerForm(request.POST)
    if form.is_valid():
        account = form.cleaned_data["account"]
        try:
            approval = guardian_approvals.sign_with_wallet(
                row=row,
                user=person(request),
                guardian=account,
                account=account,
                signature=form.cleaned_data["signature"],
            )
        except (RecoveryRefused, SignatureRefused) as error:
            form.add_error(None, str(error))
        else:
            recovery_tasks.check_guardian_approval.delay_on_commit(approval.pk)
    return _answer(request, row, form)


def _asked(request: HttpRequest, pk: int) -> AccountClaim:
    """Return a claim that this person may be asked about, or 404."""
    rows = guardian_inbox.visible_to(
        user=person(request), opened=request.session.get(OPENED, [])
    )
    row = get_object_or_404(rows.select_related("safe__chain", "claim__user"), pk=pk)
    if row.nonce is None:
        raise Http404  # the chain has not said yet whether it could come true
    return row


def _answer(request: HttpRequest, row: AccountClaim, form: Any) -> HttpResponse:
    if not form.errors and not is_htmx(request):
        return redirect("onchain:guardian-claim", row.pk)
    status = 422 if form.errors else 200
    context = {"form": form} if form.errors else {}
    if is_htmx(request):
        return render(request, CARD, _card(request, row) | context, status=status)
    return _page(request, row, context, status=status)


def _page(
    request: HttpRequest,
    row: AccountClaim,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    context = frame_context(request) | _card(request, row) | context
    return render(request, PAGE, context | {"page": "guardian"}, status=status)


def _card(request: HttpRequest, row: AccountClaim) -> dict[str, Any]:
    user = person(request)
    opened = request.session.get(OPENED, [])
    # The keys first: what a worker writes meanwhile may only take a key away.
    left = guardian_approvals.keys_left(row=row, user=user)
    mine = row.approvals.filter(user=user).order_by("-pk").first()
    is_checking = mine is not None and mine.status == Status.SIGNED
    is_done = mine is not None and mine.status == Status.VALID
    beside = guardian_inbox.beside(row=row, user=user, opened=opened)
    context: dict[str, Any] = {
        "row": row,
        "account": row.safe,
        "mine": mine,
        "is_checking": is_checking,
        "is_further": is_done and bool(left),  # with another key of the same person
        "may_sign": row.is_asking
        and row.claim.is_open
        and not is_checking
        and (not is_done or bool(left)),
        "may_sign_wallet": row.status == AccountClaim.Status.COLLECTING
        and row.claim.is_open
        and is_done
        and not left,
        "beside": beside if len(beside) > 1 else [],
        "beside_approved": sum(item.is_approved for item in beside),
        "delay_words": in_words(row.delay_seconds or 0),
        "new_owners": claim_contents.new_owners_of(row),
        "leaving": claim_contents.leaving_owners_of(row),
        "guardians": claim_contents.guardians_of(row),
        "message": claim_contents.message_of(row),
    }
    if row.status == AccountClaim.Status.STOPPED:
        context["stop"] = stop_of(row.failure_code)
    if context["may_sign"] or context["may_sign_wallet"]:
        asked = claim_contents.signing_request(row=row, user=user)
        context["signing_request"] = asked
        context["has_passkey"] = bool(asked["allowCredentials"])
    return context
