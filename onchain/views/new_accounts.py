"""Opening one more account with a passkey that one has."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.client_address import client_network
from onchain import tasks
from onchain.account_forms import NewAccountForm
from onchain.errors import OnchainError
from onchain.models import Chain
from onchain.services import acceptances, chains, safes
from onchain.views.access import button_login_required, person, posted


@button_login_required
@require_POST
def account_first(request: HttpRequest) -> HttpResponse:
    """Open the first account of a person who has a passkey and no account yet."""
    user = person(request)
    if user.is_staff:
        raise PermissionDenied  # an operator's passkey owns no account
    passkey = acceptances.chosen_passkey(user, "", request.session.get("credential"))
    if passkey is None:
        messages.error(request, "None of your passkeys is in use. Add one first.")
        return redirect("home")
    try:
        safe = safes.open_first(
            user=user,
            credential=passkey,
            chain=chains.current(),
            network=client_network(request),
        )
    except OnchainError as error:
        messages.error(request, str(error))
        return redirect("home")
    tasks.run_relayer.delay_on_commit(safe.chain_id)
    return redirect("onchain:safe-detail", safe.chain.chain_id, safe.address_text)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account_new(request: HttpRequest) -> HttpResponse:
    """The form of one more account; a valid one opens it."""
    user = person(request)
    if user.is_staff:
        raise PermissionDenied  # an operator's passkey owns no account
    form = NewAccountForm(user=user, initial={"idempotency_key": uuid.uuid4()})
    status = 200
    if request.method == "POST":
        form = NewAccountForm(posted(request), user=user)
        status = 422
        if form.is_valid():
            chain = Chain.objects.get(chain_id=settings.CHAIN_ID)
            try:
                safe = safes.open_another(
                    user=user,
                    credential=form.cleaned_data["passkey"],
                    chain=chain,
                    wanted=form.wanted(network=client_network(request)),
                )
            except OnchainError as error:
                form.add_error(None, str(error))
            else:
                tasks.run_relayer.delay_on_commit(chain.pk)
                return redirect(
                    "onchain:safe-detail", chain.chain_id, safe.address_text
                )
    context = {"form": form, "is_user_paid_offered": settings.USER_PAID_DEPLOYMENT}
    return render(request, "onchain/account_new.html", context, status=status)
