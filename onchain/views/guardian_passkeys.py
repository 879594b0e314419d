"""Letting another passkey of the person's own show that it can be a guardian.

As with a wallet, which passkey it is stands in the query, so the page keeps no state.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Credential
from onchain import tasks
from onchain.errors import SignatureRefused
from onchain.forms import AssertionForm
from onchain.models import KeyProof, Safe
from onchain.services import guardian_candidates, key_proofs, recovery_setups
from onchain.views.access import (
    account_context,
    button_login_required,
    fragment_login_required,
    leads_to_forming,
    person,
    proposing_safe,
)

FIELD = "passkey"
ROLE = KeyProof.Role.GUARDIAN


@login_required
@leads_to_forming
@require_GET
def guardian_passkey(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The person's passkeys that could guard; with one, its proof."""
    safe = proposing_safe(request, chain_id, address)
    passkey = _chosen(request, safe, request.GET.get(FIELD, ""))
    return _page(request, safe, _step(safe, passkey))


@button_login_required
@leads_to_forming
@require_POST
def guardian_passkey_prove(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Take the touch; once the chain agrees, the passkey can be chosen."""
    safe = proposing_safe(request, chain_id, address)
    passkey = _chosen(request, safe, request.POST.get(FIELD, ""))
    form = AssertionForm(request.POST)
    if passkey is not None and form.is_valid():
        try:
            proof = key_proofs.answer(
                credential=passkey,
                safe=safe,
                response=form.cleaned_data["credential"],
                role=ROLE,
            )
        except SignatureRefused as error:
            form.add_error(None, str(error))
        else:
            tasks.check_key_proof.delay_on_commit(proof.pk)
            return redirect(_choosing(safe), chain_id, safe.address_text)
    context = _step(safe, passkey) | {"form": form}
    return _page(request, safe, context, status=422)


@fragment_login_required
@leads_to_forming
@require_GET
def guardian_checks(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """What the chain said meanwhile of keys that are to be guardians."""
    safe = proposing_safe(request, chain_id, address)
    checks = guardian_candidates.checks_of(safe=safe, user=person(request))
    context = {"safe": safe, "checks": checks, "choosing": _choosing(safe)}
    return render(request, "onchain/_guardian_checks.html", context)


def _choosing(safe: Safe) -> str:
    """Return the name of the page on which guardians of the account are chosen."""
    is_on = recovery_setups.active(safe) is not None
    return "onchain:guardian-add" if is_on else "onchain:recovery-set-up"


def _chosen(request: HttpRequest, safe: Safe, pk: str) -> Credential | None:
    own = guardian_candidates.own_passkeys(safe=safe, user=person(request))
    return next((each for each in own if str(each.pk) == pk), None)


def _step(safe: Safe, passkey: Credential | None) -> dict[str, Any]:
    if passkey is None:
        return {}
    proof = key_proofs.open_proof(credential=passkey, safe=safe, role=ROLE)
    return {
        "passkey": passkey,
        "signing_request": key_proofs.signing_request(proof=proof),
    }


def _page(
    request: HttpRequest, safe: Safe, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    own = guardian_candidates.own_passkeys(safe=safe, user=person(request))
    frame = account_context(request, safe, "owners") | {"passkeys": own}
    return render(
        request, "onchain/guardian_passkey.html", frame | context, status=status
    )
