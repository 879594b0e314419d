"""A claim to recover an account, for its claimant."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts import rate_limits
from accounts.answers import kept_private
from accounts.errors import TooManyAttempts
from onchain import recovery_tasks, tasks
from onchain.claim_forms import LostAccountForm
from onchain.errors import RecoveryRefused, SignatureRefused
from onchain.forms import AssertionForm
from onchain.models import (
    AccountClaim,
    KeyProof,
    RecoveryClaim,
    RecoveryLookup,
    WalletProof,
)
from onchain.protocol.types import to_address
from onchain.services import (
    claim_accounts,
    key_proofs,
    recovery_claims,
)
from onchain.services.claim_accounts import Subject
from onchain.views import claim_cards, recover, wallet_answers
from onchain.views.access import (
    button_login_required,
    fragment_login_required,
    frame_context,
    is_htmx,
    person,
)
from onchain.wallet_forms import WalletProofForm

PAGE = "onchain/recovery_claim.html"
CARD = "onchain/_recovery_claim_card.html"


@login_required
@require_GET
def recovery_claim(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the claim is, and the one next step."""
    return _page(request, _subject(request, pk), {})


@fragment_login_required
@require_GET
def recovery_claim_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card alone, polled while the chain or a guardian has the next move."""
    return render(request, CARD, claim_cards.card(_subject(request, pk)))


@button_login_required
@require_POST
def recovery_claim_prove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the new passkey's proof that it signs for exactly this account."""
    subject = _subject(request, pk)
    passkey, safe = subject.claim.credential, subject.safe
    if passkey is None or safe is None:
        return _answer(request, subject)
    form = AssertionForm(request.POST)
    if form.is_valid():
        try:
            proof = key_proofs.answer(
                credential=passkey, safe=safe, response=form.cleaned_data["credential"]
            )
        except SignatureRefused as error:
            form.add_error(None, str(error))
        else:
            tasks.check_key_proof.delay_on_commit(proof.pk)
    return _answer(request, subject, form=form)


@button_login_required
@require_POST
def recovery_claim_prove_wallet(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the new wallet's proof that it signs for exactly this account."""
    subject = _subject(request, pk)
    claim, safe = subject.claim, subject.safe
    if claim.wallet is None or safe is None:
        return _answer(request, subject)
    form = WalletProofForm(request.POST)
    if form.is_valid():
        own = WalletProof.objects.filter(
            user=claim.user, safe=safe, address=claim.wallet, role=KeyProof.Role.OWNER
        )
        proof = get_object_or_404(
            own.select_related("safe__chain", "user"), pk=form.cleaned_data["proof"]
        )
        wallet_answers.take(proof, form)
    return _answer(request, subject, proof_form=form)


@button_login_required
@require_POST
def recovery_claim_ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Fix the new owners; a worker asks the chain whether that could come true."""
    subject = _subject(request, pk)
    claim, safe = subject.claim, subject.safe
    if safe is None:
        return _answer(request, subject)
    form = claim_cards.owners_form(subject, request.POST)
    if form.is_valid():
        new = recovery_claims.new_signer(claim=claim, safe=safe)
        try:
            row = recovery_claims.open_account(
                claim=claim,
                safe=safe,
                module=to_address(form.cleaned_data["module"]),
                new_owners=form.wanted(new=new),
                new_threshold=form.cleaned_data["threshold"],
            )
        except RecoveryRefused as error:
            form.add_error(None, str(error))
        else:
            recovery_tasks.advance_recovery.delay_on_commit(row.pk)
    return _answer(request, subject, form=form)


@button_login_required
@require_POST
def recovery_claim_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for another account of the same guardians in the same claim."""
    claim = _own(request, pk)
    form = LostAccountForm(request.POST)
    if form.is_valid():
        try:
            rate_limits.count_begin(request)
        except TooManyAttempts as error:
            form.add_error(None, error.message)
        else:
            lookup = recover.asked(form.cleaned_data[claim_cards.FIELD])
            query = urlencode({claim_cards.FIELD: lookup.address_text})
            page = reverse("onchain:recovery-claim", args=[pk])
            return redirect(f"{page}?{query}")
    subject = claim_accounts.subject_of(claim=claim)
    return _page(request, subject, {"add_form": form}, status=422)


@button_login_required
@require_POST
def recovery_claim_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a new link for guardians, shown this once; the one before it ends."""
    claim = _own(request, pk)
    token = recovery_claims.renew_link(claim=claim)
    page = request.build_absolute_uri(reverse("onchain:guardian-link"))
    context = frame_context(request) | {"claim": claim, "link": f"{page}#{token}"}
    return kept_private(render(request, "onchain/recovery_link.html", context))


@button_login_required
@require_POST
def recovery_claim_finish(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a worker look at once, rather than at its own time."""
    claim = _own(request, pk)
    for row in claim.accounts.under_way():
        AccountClaim.objects.filter(pk=row.pk).update(look_at=timezone.now())
        recovery_tasks.advance_recovery.delay_on_commit(row.pk)
    return redirect("onchain:recovery-claim", pk)


@button_login_required
@require_POST
def recovery_claim_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the claim back while nothing of it is on chain."""
    claim = _own(request, pk)
    try:
        recovery_claims.withdraw(claim=claim)
    except RecoveryRefused as error:
        subject = claim_accounts.subject_of(claim=claim)
        return _page(request, subject, {"words": str(error)}, status=422)
    return redirect("onchain:recovery-claim", pk)


def _own(request: HttpRequest, pk: int) -> RecoveryClaim:
    """Return one of the person's own claims, or 404."""
    own = RecoveryClaim.objects.filter(user=person(request))
    related = ("user", "credential", "lookup__chain")
    return get_object_or_404(own.select_related(*related), pk=pk)


def _subject(request: HttpRequest, pk: int) -> Subject:
    """Return the account of an own claim that the query names, or the first; or 404."""
    claim = _own(request, pk)
    if claim_cards.FIELD not in request.GET:
        return claim_accounts.subject_of(claim=claim)
    form = LostAccountForm(request.GET)
    if not form.is_valid():
        raise Http404
    try:
        return claim_accounts.subject_of(
            claim=claim, address=form.cleaned_data[claim_cards.FIELD]
        )
    except RecoveryLookup.DoesNotExist as error:
        raise Http404 from error


def _answer(request: HttpRequest, subject: Subject, **forms: Form) -> HttpResponse:
    wrong = {name: form for name, form in forms.items() if form.errors}
    status = 422 if wrong else 200
    if not wrong and not is_htmx(request):
        page = reverse("onchain:recovery-claim", args=[subject.claim.pk])
        query = urlencode({claim_cards.FIELD: subject.lookup.address_text})
        return redirect(f"{page}?{query}")
    if is_htmx(request):
        context = claim_cards.card(subject) | wrong
        return render(request, CARD, context, status=status)
    return _page(request, subject, wrong, status=status)


def _page(
    request: HttpRequest,
    subject: Subject,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    context = frame_context(request) | claim_cards.card(subject) | context
    return render(request, PAGE, context, status=status)
