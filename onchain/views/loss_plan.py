"""If I lose this: what would become of this very account (product.md K-13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.sign_in import THIS_DEVICE
from onchain import loss_advice_words, loss_reasons, loss_words
from onchain.loss_advice_words import Advice
from onchain.loss_words import Verdict
from onchain.models import Safe
from onchain.services import (
    configurations,
    loss_advice,
    loss_planner,
    loss_plans,
    module_codes,
)
from onchain.services.loss_planner import Mishap, Mishaps
from onchain.services.loss_plans import AccountPlan
from onchain.services.loss_things import Thing
from onchain.views.access import (
    fragment_login_required,
    own_safe,
    own_safe_page,
    person,
)

CHOICES = (("", "Fine"), (Mishap.LOST.value, "Lost"), (Mishap.STOLEN.value, "Stolen"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingLine:
    """One thing: what is said of it, and what losing it alone would mean."""

    thing: Thing
    said: str  # a mishap; empty: it is fine
    lost: Verdict
    stolen: Verdict


@login_required
@require_GET
def loss_plan(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """What would become of the account, for one thing or for several at once."""
    context = own_safe_page(request, chain_id, address, "owners")
    context |= _context(request, context["safe"])
    return render(request, "onchain/loss_plan.html", context)


@fragment_login_required
@require_GET
def loss_plan_card(request: HttpRequest, chain_id: int, address: str) -> HttpResponse:
    """The same for what has just been ticked."""
    safe = own_safe(request, chain_id, address)
    context = {"safe": safe} | _context(request, safe)
    return render(request, "components/_loss_plan.html", context)


def _context(request: HttpRequest, safe: Safe) -> dict[str, Any]:
    account = loss_plans.plan_of(
        safe=safe,
        user=person(request),
        device_credential=request.session.get(THIS_DEVICE),
    )
    plan = account.plan
    mishaps = _said(request, account.things)
    offers = not module_codes.why_none(safe.chain)
    at, danger = mishaps, None
    if not mishaps:
        danger = _danger(account)
        at = {} if danger is None else dict([danger])
    found = loss_planner.answer(plan, mishaps)
    step = loss_advice.advised(plan, at, offers_recovery=offers)
    is_saved = loss_advice.is_saved(loss_planner.answer(plan, at))
    advice: Advice = loss_advice_words.advice(step, plan, is_saved=is_saved)
    return {
        "choices": CHOICES,
        "lines": [_line(account, thing, mishaps) for thing in account.things],
        "mishaps": mishaps,
        "verdict": loss_words.verdict(plan, mishaps, is_yours=account.is_yours),
        "reasons": loss_reasons.reasons(plan, found, mishaps),
        "thieves": loss_reasons.thieves(plan, found, mishaps),
        "advice": advice,
        "danger": None if danger is None else _named(account, *danger),
        "has_others": configurations.loaded_with(safe) is not None,
    }


def _said(request: HttpRequest, things: Sequence[Thing]) -> dict[str, Mishap]:
    """Return what is ticked; a thing that is not there any more says nothing."""
    known = {each.value for each in Mishap}
    asked = {thing.id: request.GET.get(thing.id, "") for thing in things}
    return {thing: Mishap(said) for thing, said in asked.items() if said in known}


def _line(account: AccountPlan, thing: Thing, mishaps: Mishaps) -> ThingLine:
    lost, stolen = (
        loss_words.verdict(account.plan, {thing.id: mishap}, is_yours=account.is_yours)
        for mishap in (Mishap.LOST, Mishap.STOLEN)
    )
    said = mishaps.get(thing.id, "")
    return ThingLine(thing=thing, said=said, lost=lost, stolen=stolen)


def _danger(account: AccountPlan) -> tuple[str, Mishap] | None:
    """Return the first mishap that costs the account; losses are more common."""
    for mishap in (Mishap.LOST, Mishap.STOLEN):
        every = [{thing.id: mishap} for thing in account.things]
        found = loss_advice.first_danger(account.plan, every)
        if found is not None:
            return next(iter(found.items()))
    return None


def _named(account: AccountPlan, thing: str, mishap: Mishap) -> str:
    name = next(each.name for each in account.things if each.id == thing)
    return f"{name} is {mishap.value}."
