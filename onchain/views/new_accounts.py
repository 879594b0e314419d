"""Opening one more account with a passkey that one has."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.client_address import client_network
from onchain import tasks
from onchain.account_forms import NewAccountForm
from onchain.errors import OnchainError
from onchain.models import Chain
from onchain.services import safes
from onchain.views.access import person, posted


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
