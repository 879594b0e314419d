"""The operators' switches, as actions on a chain: one to pause, one to resume each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from onchain.models import Chain
from onchain.services import pauses
from onchain.services.pauses import Switch
from onchain.views.access import person

Action = Callable[[Any, HttpRequest, QuerySet[Chain]], None]


def pause_actions() -> list[Action]:
    """Return the actions of all switches."""
    return [
        _action(switch, is_paused) for switch in Switch for is_paused in (True, False)
    ]


def _action(switch: Switch, is_paused: bool) -> Action:
    verb, done = ("Pause", "Paused") if is_paused else ("Resume", "Resumed")

    @admin.action(description=f"{verb} {switch.label}", permissions=["view"])
    def act(_model_admin: Any, request: HttpRequest, chains: QuerySet[Chain]) -> None:
        changed = sum(
            pauses.set_paused(
                chain=chain, switch=switch, is_paused=is_paused, actor=person(request)
            )
            for chain in chains
        )
        words = f"{done} {switch.label}: {changed}." if changed else "It was so before."
        messages.add_message(
            request, messages.SUCCESS if changed else messages.WARNING, words
        )

    act.__name__ = f"{verb.lower()}_{switch.label}"
    return act
