"""Asking for a payment."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from onchain import tasks
from onchain.amounts import ether_text
from onchain.change_errors import AccountBlocked
from onchain.errors import IdempotencyConflict
from onchain.forms import SendForm
from onchain.models import Safe
from onchain.protocol.types import checksum_address
from onchain.services import (
    barriers,
    configurations,
    contacts,
    safes,
    user_operations,
)
from onchain.views.access import (
    account_context,
    leads_to_forming,
    person,
    posted,
    proposing_safe,
)


@login_required
@leads_to_forming
@require_http_methods(["GET", "HEAD", "POST"])
def send(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The form of a payment; a valid one becomes a draft and its own page."""
    safe = proposing_safe(request, chain_id, address)
    status = 200
    user = person(request)
    known = _known(safe)
    form = SendForm(initial=_initial(request, safe, known), safe=safe, user=user)
    if request.method == "POST":
        form = SendForm(posted(request), safe=safe, user=user)
        status = 422
        if form.is_valid() and _refuse_until_live(form, safe):
            try:
                op = user_operations.draft(
                    safe=safe,
                    user=user,
                    recipient=form.cleaned_data["recipient"],
                    value_wei=form.cleaned_data["amount"],
                    idempotency_key=form.cleaned_data["idempotency_key"],
                    period_seconds=form.period_seconds(),
                )
            except (AccountBlocked, IdempotencyConflict) as error:
                form.add_error(None, str(error))
            else:
                tasks.prepare_user_operation.delay_on_commit(op.pk)
                return redirect("onchain:operation", op.pk)
    context = account_context(request, safe, "send") | {"form": form}
    context |= known
    context["blocked"] = barriers.in_way(configurations.foreign_in(safe), safe=safe)
    return render(request, "onchain/send.html", context, status=status)


def _refuse_until_live(form: SendForm, safe: Safe) -> bool:
    """Say so while the account has no code; on-demand chains deploy it now."""
    if safe.is_live or safe.deploys_itself:
        return True
    words = "It is being set up; try again in a moment. What you typed is kept."
    if safe.deployment_requested_at is None:
        if safes.is_worth_deploying(safe):
            safes.request_deployment(safe=safe)
            tasks.run_relayer.delay_on_commit(safe.chain_id)
        else:
            floor = f"{ether_text(settings.DEPLOYMENT_FLOOR_WEI)} ETH"
            words = f"It is set up once it has received {floor} or more."
    form.add_error(None, f"This account is not live yet. {words}")
    return False


def _known(safe: Safe) -> dict[str, Any]:
    """Return the address book, and whom the account paid last."""
    book = list(safe.contacts.all())
    names = {bytes(contact.address): contact.name for contact in book}
    recent = [
        {"address_text": checksum_address(address), "name": names.get(address, "")}
        for address in contacts.recent_recipients(safe=safe)
    ]
    return {"contacts": book, "recent": recent}


def _initial(request: HttpRequest, safe: Safe, known: dict[str, Any]) -> dict[str, Any]:
    """Prefill from an operation that is being changed (?from=), with a new key.

    Or with a recipient that the form offers (?to=), and with nobody else: a link from
    elsewhere must not say who is paid.
    """
    initial: dict[str, Any] = {"idempotency_key": uuid.uuid4()}
    wanted = request.GET.get("to", "")
    if wanted in {row["address_text"] for row in known["recent"]}:
        initial["recipient"] = wanted
    source = request.GET.get("from", "")
    if source.isascii() and source.isdigit() and len(source) < 19:
        op = safe.operations.filter(pk=int(source)).first()
        if op is not None and op.is_payment:
            initial["recipient"] = checksum_address(op.recipient)
            initial["amount"] = ether_text(op.value_wei)
            if op.period_seconds is not None:
                initial["period"] = op.period_seconds
    return initial
