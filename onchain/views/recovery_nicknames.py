"""The nickname by which an account is found on /recover/: its owners choose it.

An owner's plain action, without a touch of the passkey: no name moves anything or leads
to another account, and one that somebody takes away can be chosen again.
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from onchain.claim_forms import NicknameForm
from onchain.errors import NicknameRefused
from onchain.models import Safe
from onchain.services import recovery_nicknames
from onchain.views.access import (
    account_context,
    button_login_required,
    leads_to_forming,
    person,
    proposing_safe,
)

PAGE = "onchain/recovery_nickname.html"


@login_required
@leads_to_forming
@require_GET
def recovery_nickname(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Whether the account has a nickname, and what that tells others."""
    return _page(request, proposing_safe(request, chain_id, address))


@button_login_required
@leads_to_forming
@require_POST
def recovery_nickname_choose(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Let a name stand for the account."""
    safe = proposing_safe(request, chain_id, address)
    form = NicknameForm(request.POST)
    if form.is_valid():
        try:
            recovery_nicknames.choose(
                safe=safe, user=person(request), **form.cleaned_data
            )
        except NicknameRefused as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, "The nickname leads to this account now.")
            return _back(safe)
    return _page(request, safe, status=422, form=form)


@button_login_required
@leads_to_forming
@require_POST
def recovery_nickname_remove(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Let no name stand for the account."""
    safe = proposing_safe(request, chain_id, address)
    recovery_nicknames.remove(safe=safe)
    return _back(safe)


def _page(
    request: HttpRequest,
    safe: Safe,
    *,
    status: int = 200,
    form: NicknameForm | None = None,
) -> HttpResponse:
    nickname = recovery_nicknames.in_use(safe=safe)
    context = account_context(request, safe, "owners") | {
        "form": NicknameForm() if form is None else form,
        "nickname": nickname,
    }
    if nickname is not None:
        link = reverse("onchain:recover-nickname", args=[nickname.name])
        context["link"] = request.build_absolute_uri(link)
    return render(request, PAGE, context, status=status)


def _back(safe: Safe) -> HttpResponse:
    return redirect("onchain:recovery-nickname", safe.chain.chain_id, safe.address_text)
