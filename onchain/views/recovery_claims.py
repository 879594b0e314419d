"""A claim to recover an account, for its claimant."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.answers import kept_private
from accounts.models import Credential
from onchain import recovery_tasks, tasks
from onchain.claim_forms import NewOwnersForm
from onchain.errors import RecoveryRefused, SignatureRefused
from onchain.forms import AssertionForm
from onchain.models import (
    AccountClaim,
    KeyProof,
    RecoveryClaim,
    RecoveryLookup,
    Safe,
)
from onchain.protocol.types import checksum_address, to_address
from onchain.recovery_words import stop_of
from onchain.services import (
    claim_contents,
    key_proofs,
    recovery_claims,
    recovery_triage,
)
from onchain.services.recovery_stand_in import in_words
from onchain.views.access import (
    button_login_required,
    fragment_login_required,
    frame_context,
    is_htmx,
    person,
)

PAGE = "onchain/recovery_claim.html"
CARD = "onchain/_recovery_claim_card.html"
Status = AccountClaim.Status


@login_required
@require_GET
def recovery_claim(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the claim is, and the one next step."""
    return _page(request, _own(request, pk), {})


@fragment_login_required
@require_GET
def recovery_claim_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card alone, polled while the chain or a guardian has the next move."""
    return render(request, CARD, _card(_own(request, pk)))


@button_login_required
@require_POST
def recovery_claim_prove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the new passkey's proof that it signs for exactly this account."""
    claim = _own(request, pk)
    safe, passkey, _lookup = _subject(claim)
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
    return _answer(request, claim, form)


@button_login_required
@require_POST
def recovery_claim_ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Fix the new owners; a worker asks the chain whether that could come true."""
    claim = _own(request, pk)
    safe, _passkey, lookup = _subject(claim)
    form = NewOwnersForm(request.POST, lookup=lookup)
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
    return _answer(request, claim, form)


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
        return _page(request, claim, {"words": str(error)}, status=422)
    return redirect("onchain:recovery-claim", pk)


def _own(request: HttpRequest, pk: int) -> RecoveryClaim:
    """Return one of the person's own claims, or 404."""
    own = RecoveryClaim.objects.filter(user=person(request))
    related = ("user", "credential", "lookup__chain")
    return get_object_or_404(own.select_related(*related), pk=pk)


def _subject(claim: RecoveryClaim) -> tuple[Safe, Credential, RecoveryLookup]:
    """Return the account, the new passkey and what the chain said of the account."""
    lookup = claim.lookup
    if lookup is None or claim.credential is None:
        raise TypeError("claims that begin on a page have a passkey and an account")
    safe = recovery_triage.account_of(lookup=lookup, user=claim.user)
    return safe, claim.credential, lookup


def _answer(request: HttpRequest, claim: RecoveryClaim, form: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    if not form.errors and not is_htmx(request):
        return redirect("onchain:recovery-claim", claim.pk)
    extra = {"form": form} if form.errors else {}
    if is_htmx(request):
        return render(request, CARD, _card(claim) | extra, status=status)
    return _page(request, claim, extra, status=status)


def _page(
    request: HttpRequest,
    claim: RecoveryClaim,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    context = frame_context(request) | _card(claim) | context
    return render(request, PAGE, context, status=status)


def _card(claim: RecoveryClaim) -> dict[str, Any]:
    safe, passkey, lookup = _subject(claim)
    row = claim.accounts.select_related("safe__chain", "claim").first()
    context: dict[str, Any] = {"claim": claim, "account": safe, "lookup": lookup}
    if row is not None:
        return context | _progress(row)
    if claim.withdrawn_at is not None:
        return context | {"step": "stopped", "stop": stop_of("withdrawn")}
    if recovery_claims.is_proven(claim=claim, safe=safe):
        new = recovery_claims.new_signer(claim=claim, safe=safe)
        return context | {
            "step": "ask",
            "new_signer": checksum_address(new),
            "form": NewOwnersForm(lookup=lookup),
        }
    proof = key_proofs.latest(credential=passkey, safe=safe)
    # Proven by now: the worker was faster than the reads of this request.
    if proof is not None and proof.status != KeyProof.Status.REFUSED:
        return context | {"step": "proving"}
    asked = key_proofs.open_proof(credential=passkey, safe=safe)
    return context | {
        "step": "prove",
        "is_refused": proof is not None,
        "signing_request": key_proofs.signing_request(proof=asked),
    }


def _progress(row: AccountClaim) -> dict[str, Any]:
    """Return what the card shows of a claim that was asked for."""
    context: dict[str, Any] = {
        "row": row,
        "step": row.status,
        "delay_words": in_words(row.delay_seconds or 0),
        "is_delay_over": (row.safe.chain.head_timestamp or 0)
        > (row.execute_after or 0),
        "new_owners": claim_contents.new_owners_of(row),
        "leaving": claim_contents.leaving_owners_of(row),
        "guardians": claim_contents.guardians_of(row),
    }
    if row.status == Status.STOPPED:
        context["stop"] = stop_of(row.failure_code)
    elif row.nonce is not None and not row.is_over:
        context["message"] = claim_contents.message_of(row)
    return context
