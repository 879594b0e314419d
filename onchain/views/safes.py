"""The pages of an account: home, activity, settings, test ETH."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST, require_safe

from onchain import tasks
from onchain.errors import IdempotencyConflict
from onchain.forms import IdempotencyForm
from onchain.models import RelayerTransaction, Role, Safe
from onchain.protocol.deployments import CONTRACTS
from onchain.services import activity as activity_service
from onchain.services import (
    barriers,
    configurations,
    deployment_waits,
    formations,
    invitations,
    queue,
    safes,
    ways_in,
)
from onchain.services.faucet import request_test_eth
from onchain.setting_up import setting_up
from onchain.views.access import (
    account_context,
    button_login_required,
    fragment_login_required,
    leads_to_forming,
    own_safe,
    own_safe_page,
    own_safes,
    person,
    posted,
    proposing_safe,
    require_formed,
)

RECENT = 5  # lines of activity on the account's page
PER_PAGE = 20
ONLY_KEY_CLOSED = "only_key_closed"  # in the session: accounts whose notice waits
Faucet = RelayerTransaction.Purpose.FAUCET


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The landing page, or the person's accounts."""
    if not request.user.is_authenticated:
        next_path = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(next_path, allowed_hosts=None):
            next_path = ""
        return render(request, "landing.html", {"next_path": next_path})
    own = own_safes(request)
    received = list(invitations.received_by(person(request)))
    forming = list(formations.open_for(person(request)))
    is_alone = len(own) == 1 and own[0].role == Role.OWNER
    is_forming = bool(forming) or any(not safe.is_formed for safe in own)
    if is_alone and not received and not is_forming:
        return redirect(
            "onchain:safe-detail", own[0].chain.chain_id, own[0].address_text
        )
    formed = [safe for safe in own if safe.is_formed]
    context = {"safes": formed, "invitations": received, "forming": forming}
    # Whoever has no account of their own may open the first with one press.
    context["lacks_own"] = all(safe.role != Role.OWNER for safe in formed)
    return render(request, "onchain/safe_list.html", context)


@login_required
@leads_to_forming
@require_GET
def safe_detail(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """One account: state, balance, what to do next, recent activity."""
    return render_detail(request, chain_id, address)


@fragment_login_required
@require_GET
def safe_overview(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The card of state and balance, polled by the account's page."""
    safe = own_safe(request, chain_id, address)
    _ask_for_balance(safe)
    context = {"safe": safe} | _overview(safe)
    return render(request, "onchain/_safe_overview.html", context)


@fragment_login_required
@require_GET
def safe_deploy_yourself(
    request: HttpRequest, chain_id: int, address: str
) -> HttpResponse:
    """The call that any wallet can send while setting up is stuck."""
    safe = own_safe(request, chain_id, address)
    context = {"safe": safe, "own_call": deployment_waits.own_call(safe=safe)}
    return render(request, "onchain/_deploy_yourself.html", context)


@fragment_login_required
@require_GET
def safe_activity(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The list of recent activity, polled: ether can arrive at any time."""
    safe = own_safe(request, chain_id, address)
    context = {"safe": safe} | _recent(safe)
    return render(request, "onchain/_operation_list.html", context)


@login_required
@require_GET
def activity(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """All that an account sent, received and changed, page by page."""
    safe = own_safe(request, chain_id, address)
    places = Paginator(activity_service.places(safe=safe), PER_PAGE)
    page_obj = places.get_page(request.GET.get("page"))
    entries = activity_service.load(places=page_obj.object_list)
    context = account_context(request, safe, "activity")
    context |= {"page_obj": page_obj, "entries": entries}
    return render(request, "onchain/activity.html", context)


@login_required
@require_GET
def safe_settings(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Facts about an account, its name, and the contracts it stands on."""
    safe = own_safe(request, chain_id, address)
    context = account_context(request, safe, "settings")
    context["ways_in"] = ways_in.ways_in(safe=safe, user=person(request))
    context["owners"] = list(safe.owners.current().select_related("credential"))
    context["contracts"] = CONTRACTS
    context["unacknowledged"] = configurations.unacknowledged(
        safe=safe, user=person(request)
    )
    return render(request, "onchain/settings.html", context)


@button_login_required
@leads_to_forming
@require_POST
def faucet(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """Queue test ETH; routed on the local chain only (security.md R70)."""
    safe = proposing_safe(request, chain_id, address)
    form = IdempotencyForm(posted(request))
    if not form.is_valid():
        return HttpResponse("This form is incomplete.", status=400)
    try:
        request_test_eth(
            safe=safe,
            user=person(request),
            value_wei=settings.FAUCET_WEI,
            idempotency_key=form.cleaned_data["idempotency_key"],
        )
    except IdempotencyConflict as error:
        messages.error(request, str(error))
        return render_detail(request, chain_id, address, status=422)  # R50
    tasks.run_relayer.delay_on_commit(safe.chain_id)
    return redirect(reverse("onchain:safe-detail", args=[chain_id, safe.address_text]))


def render_detail(
    request: HttpRequest,
    chain_id: int,
    address: str,
    *,
    status: int = 200,
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """Render the account's home, also in answer to a form on it."""
    context = own_safe_page(request, chain_id, address, "home")
    safe = context["safe"]
    require_formed(safe)
    _ask_for_balance(safe)
    context |= _overview(safe) | _recent(safe) | _only_key(request, safe)
    if safe.has_waiting:
        context["waiting"] = queue.waiting(safe=safe, user=person(request))
    context["own_call"] = deployment_waits.own_call(safe=safe)
    context |= extra or {}
    return render(request, "onchain/safe_detail.html", context, status=status)


def _overview(safe: Safe) -> dict[str, Any]:
    waiting = RelayerTransaction.objects.filter(
        purpose=Faucet, to=safe.address, status__in=["queued", "signed", "broadcast"]
    )
    foreign = configurations.loaded_with(safe)
    blocked = barriers.in_way(foreign, safe=safe)
    is_ready = safe.is_live or (safe.deploys_itself and safe.balance_wei > 0)
    return {
        "setting_up": setting_up(safe),
        "foreign": foreign,
        "blocked": blocked,
        "can_send": is_ready and not blocked,
        "faucet_form_key": uuid.uuid4(),
        "faucet_pending": settings.LOCAL_CHAIN and waiting.exists(),
    }


def _only_key(request: HttpRequest, safe: Safe) -> dict[str, Any]:
    """Return what the notice of an only key shows; empty where it is not due.

    An account that is not live yet cannot take a second passkey, and where several
    must approve no key is the only one.
    """
    if safe.threshold > 1:
        return {}
    if safe.role != Role.OWNER or not safe.is_live:
        return {}
    if safe.pk in request.session.get(ONLY_KEY_CLOSED, []):
        return {}
    ways = ways_in.ways_in(safe=safe, user=person(request))
    is_due = ways.is_one_passkey and ways.acknowledged_at is None
    return {"only_key": ways} if is_due else {}


def _recent(safe: Safe) -> dict[str, Any]:
    places = activity_service.places(safe=safe)[:RECENT]
    entries = activity_service.load(places=places)
    is_waiting = any(entry.is_waiting for entry in entries)
    return {"entries": entries, "is_waiting": is_waiting}


def _ask_for_balance(safe: Safe) -> None:
    if safes.claim_balance_request(safe=safe):
        tasks.refresh_balance.delay_on_commit(safe.pk)
