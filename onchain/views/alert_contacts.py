"""Who is warned when a recovery of an account begins."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import step_up_required
from accounts.step_up import Action
from accounts.tasks import send_mails
from onchain.alert_contact_forms import AlertContactForm, OwnAlertContactForm
from onchain.errors import AlertContactRefused
from onchain.models import Safe
from onchain.services import alert_contacts as people
from onchain.views.access import (
    account_context,
    button_login_required,
    leads_to_forming,
    person,
    proposers_only,
    proposing_safe,
)


@login_required
@leads_to_forming
@require_GET
def alert_contacts(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Whom the owners named, and who agreed."""
    return _page(request, proposing_safe(request, chain_id, address))


def _page_of(chain_id: int, address: str) -> str:
    return reverse("onchain:alert-contacts", args=[chain_id, address])


@button_login_required
@leads_to_forming
@require_POST
@proposers_only
@step_up_required(
    Action.CHANGE_WARNED, target=("address", "post:target"), leads_back=_page_of
)
def alert_contact_add(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Name somebody; a mail asks whether they agree."""
    safe = proposing_safe(request, chain_id, address)
    form = AlertContactForm(request.POST)
    if form.is_valid():
        try:
            people.add(
                safe=safe,
                user=person(request),
                name=form.cleaned_data["name"],
                address=form.cleaned_data["target"],
            )
        except AlertContactRefused as error:
            form.add_error("target", str(error))
        else:
            send_mails.delay_on_commit()
            messages.success(request, "A mail asks whether they agree to be warned.")
            return _back(safe)
    return _page(request, safe, status=422, form=form)


@button_login_required
@leads_to_forming
@require_POST
@proposers_only
@step_up_required(
    Action.CHANGE_WARNED,
    target=("address", "post:target"),
    is_settled=True,
    leads_back=_page_of,
)
def alert_contact_remove(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """Warn somebody no longer."""
    safe = proposing_safe(request, chain_id, address)
    form = OwnAlertContactForm(request.POST, safe=safe)
    if not form.is_valid():
        return HttpResponse("This form is incomplete.", status=400)
    people.remove(contact=form.cleaned_data["target"], user=person(request))
    send_mails.delay_on_commit()
    return _back(safe)


def _page(
    request: HttpRequest,
    safe: Safe,
    *,
    status: int = 200,
    form: AlertContactForm | None = None,
) -> HttpResponse:
    contacts = list(people.contacts_of(safe=safe))
    context: dict[str, Any] = account_context(request, safe, "owners") | {
        "contacts": contacts,
        "can_be_warned": people.can_be_warned(safe=safe),
        "site_sends_mail": settings.HAS_EMAIL,
        "most": people.MOST,
        "has_room": sum(each.outsider.status in people.OPEN for each in contacts)
        < people.MOST,
        "form": AlertContactForm() if form is None else form,
    }
    return render(request, "onchain/alert_contacts.html", context, status=status)


def _back(safe: Safe) -> HttpResponse:
    return redirect("onchain:alert-contacts", safe.chain.chain_id, safe.address_text)
