"""For who cannot get into an account: who could bring it back, for anybody to ask."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts import rate_limits
from accounts.errors import TooManyAttempts
from accounts.models import Credential, User
from onchain import recovery_tasks
from onchain.claim_forms import LostAccountForm
from onchain.errors import RecoveryRefused
from onchain.models import Chain, RecoveryLookup
from onchain.protocol.types import Address, checksum_address
from onchain.services import recovery_claims, recovery_triage
from onchain.services.recovery_stand_in import in_words
from onchain.views.access import frame_context, person
from onchain.wallet_forms import WalletAddressForm

FIELD = "account"
PAGE = "onchain/recover.html"
CARD = "onchain/_recover_card.html"
WALLET = "wallet"
WALLET_PAGE = "onchain/recover_wallet.html"


@require_safe
def recover(request: HttpRequest) -> HttpResponse:
    """The form of an address; with one, what the chain says and what to try first."""
    if FIELD not in request.GET:
        return render(request, PAGE, {"form": LostAccountForm()})
    form = LostAccountForm(request.GET)
    if not form.is_valid():
        return render(request, PAGE, {"form": form}, status=422)
    try:
        rate_limits.count_begin(request)
    except TooManyAttempts as error:
        form.add_error(None, error.message)
        return render(request, PAGE, {"form": form}, status=429)
    lookup = asked(form.cleaned_data[FIELD])
    return render(request, PAGE, {"form": form} | _card(lookup, form))


@require_safe
def recover_nickname(request: HttpRequest, nickname: str) -> HttpResponse:
    """The link that an owner gave away: the form with the nickname typed in."""
    return redirect(f"{reverse('onchain:recover')}?{urlencode({FIELD: nickname})}")


@require_safe
def recover_card(request: HttpRequest) -> HttpResponse:
    """The card alone, polled while a worker asks the chain."""
    form = LostAccountForm(request.GET)
    if not form.is_valid():
        return HttpResponse(status=422)
    rows = RecoveryLookup.objects.filter(chain__chain_id=settings.CHAIN_ID)
    lookup = get_object_or_404(rows, address=form.cleaned_data[FIELD])
    return render(request, CARD, _card(lookup, form))


@login_required
@require_GET
def recover_wallet(request: HttpRequest) -> HttpResponse:
    """The form of a wallet that is to own the account; with one, the step after it."""
    named = LostAccountForm(request.GET)
    if not named.is_valid():
        return redirect("onchain:recover")
    lookup = asked(named.cleaned_data[FIELD])
    context = frame_context(request) | {
        "lookup": lookup,
        "nickname": named.nickname,
        "query": f"?{urlencode({FIELD: named.typed})}",
        "address_url": reverse("onchain:recover-wallet"),
        "hidden_account": named.typed,
    }
    if WALLET not in request.GET:
        form = WalletAddressForm(safe=None)
        return render(request, WALLET_PAGE, context | {"form": form})
    form = WalletAddressForm(request.GET, safe=None)
    if not form.is_valid():
        return render(request, WALLET_PAGE, context | {"form": form}, status=422)
    wallet = checksum_address(form.cleaned_data[WALLET])
    return render(request, WALLET_PAGE, context | {"wallet_text": wallet})


@require_POST
def recover_begin(request: HttpRequest) -> HttpResponse:
    """Begin a claim with the passkey of who is signed in, or with a wallet.

    Others are led to sign in.
    """
    form = LostAccountForm(request.POST)
    if not form.is_valid():
        return redirect("onchain:recover")
    lookup = asked(form.cleaned_data[FIELD])
    page = f"{reverse('onchain:recover')}?{urlencode({FIELD: form.typed})}"
    if not request.user.is_authenticated:
        return redirect_to_login(page)
    user = person(request)
    if user.is_staff:
        raise PermissionDenied  # an operator's passkey owns no account
    key = _new_key(request, user)
    is_found = lookup.status == RecoveryLookup.Status.FOUND
    if key is None or not is_found or not lookup.setups:
        return redirect(page)
    before = user.recovery_claims.filter(
        **key, lookup=lookup, withdrawn_at=None
    ).exclude(accounts__status__in=["stopped", "done"])
    claim = before.first()
    if claim is None or not claim.is_open:
        try:
            claim, _token = recovery_claims.begin(user=user, lookup=lookup, **key)
        except RecoveryRefused as error:
            form.add_error(None, str(error))
            context = {"form": form} | _card(lookup, form)
            return render(request, PAGE, context, status=422)
    return redirect("onchain:recovery-claim", claim.pk)


def _new_key(request: HttpRequest, user: User) -> dict[str, Any] | None:
    """Return the key that is to own the account: the named wallet, or a passkey."""
    if WALLET in request.POST:
        form = WalletAddressForm(request.POST, safe=None)
        return {"wallet": form.cleaned_data[WALLET]} if form.is_valid() else None
    own = Credential.objects.of(user).usable().order_by("pk")
    session = request.session.get("credential")
    passkey = next((key for key in own if key.pk == session), own.first())
    return None if passkey is None else {"credential": passkey}


def asked(address: Address) -> RecoveryLookup:
    """Return the answer about an address, asked for again where it is old."""
    chain = get_object_or_404(Chain, chain_id=settings.CHAIN_ID)
    lookup = recovery_triage.ask(chain=chain, address=address)
    if lookup.status == RecoveryLookup.Status.READING:
        recovery_tasks.read_recovery_lookup.delay_on_commit(lookup.pk)
    return lookup


def _card(lookup: RecoveryLookup, form: LostAccountForm) -> dict[str, Any]:
    """Return what the card shows.

    Before the chain has an account at its address, a nickname tells nothing but itself:
    one that nobody chose answers with the same bytes.
    """
    setups = [
        setup | {"delay_words": in_words(setup["delay"])} for setup in lookup.setups
    ]
    return {
        "lookup": lookup,
        "query": f"?{urlencode({FIELD: form.typed})}",
        "nickname": form.nickname,
        "setups": setups,
        "co_owners_suffice": recovery_triage.co_owners_suffice(lookup),
    }
