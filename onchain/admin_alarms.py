"""Alarms in the journal: which wait for an operator, and the action that ends that."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from onchain.models import JournalEntry
from onchain.services import journal
from onchain.views.access import person


class AlarmFilter(admin.SimpleListFilter):
    """The alarms that /health/ and the first page speak of (R24, R28)."""

    title = "whether it is an alarm"
    parameter_name = "alarm"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the one choice."""
        return [("yes", "Not acknowledged")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[JournalEntry]
    ) -> QuerySet[JournalEntry] | None:
        """Keep the open alarms when asked."""
        if self.value() != "yes":
            return queryset
        return queryset.filter(pk__in=journal.alarms().order_by().values("pk"))


@admin.action(description="Acknowledge alarms", permissions=["view"])
def acknowledge_alarms(
    _model_admin: Any, request: HttpRequest, entries: QuerySet[JournalEntry]
) -> None:
    """Note that the operator has looked at the chosen alarms."""
    done = sum(
        journal.acknowledge(entry=entry, actor=person(request)) for entry in entries
    )
    words = f"Acknowledged: {done}." if done else "No alarm among them waits."
    messages.add_message(request, messages.SUCCESS if done else messages.WARNING, words)
