"""After a recovery: three short steps through what is new and what stayed."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from onchain.services import (
    barriers,
    change_lane,
    configurations,
    module_codes,
    owner_list,
    recovered_accounts,
    recovery_overview,
)
from onchain.views.access import (
    account_context,
    button_login_required,
    leads_to_forming,
    person,
    proposing_safe,
)
from onchain.views.owners import findings_of


@login_required
@leads_to_forming
@require_GET
def recovered(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Who owns the account now, what can still act for it, and who guards it."""
    safe = proposing_safe(request, chain_id, address)
    row = recovered_accounts.recovered(safe=safe, user=person(request))
    if row is None:  # they have it some other way
        return redirect("onchain:owners", chain_id, safe.address_text)
    foreign = configurations.foreign_in(safe)
    blocked = barriers.in_way(foreign, safe=safe)
    lines = owner_list.owners_of(safe=safe, user=person(request))
    owners = [line.owner.address_text for line in lines]
    context = account_context(request, safe, "owners") | {
        "row": row,
        "lines": lines,
        "gone": recovered_accounts.gone(row, owners=owners),
        "strange": recovered_accounts.strange(row, owners=owners),
        "foreign": foreign,
        "blocked": blocked,
        "findings": [] if foreign is None else findings_of(foreign, bool(blocked)),
        "setups": recovery_overview.setups_of(safe),
        "changed_modules": module_codes.changed(safe.chain),
        "pending": change_lane.in_flight([safe]).first(),
        "form_key": uuid.uuid4(),
    }
    return render(request, "onchain/recovered.html", context)


@button_login_required
@leads_to_forming
@require_POST
def recovered_done(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Remember that the new owner looked through it; the account asks no more."""
    safe = proposing_safe(request, chain_id, address)
    recovered_accounts.finish(safe=safe, user=person(request))
    return redirect("onchain:safe-detail", chain_id, safe.address_text)
