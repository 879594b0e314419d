"""What every model of the console shares: formats, the stuck filter, the nudge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin_display import Format
from onchain.admin_display import chain_format, link, short_address, state
from onchain.admin_search import ChainSearch
from onchain.services import nudging, overview
from onchain.views.access import person


class ChainAdminBase(ChainSearch):
    """A read-only model with a chain's values in it."""

    def format_of(self, field: Field[Any, Any]) -> Format | None:
        """Print a chain's values as such, and the rest as everywhere."""
        return chain_format(field) or super().format_of(field)

    @admin.display(description="State", ordering="status")
    def state(self, row: Any) -> object:
        """Return the state in words."""
        return state(row)

    @admin.display(description="Account", ordering="safe")
    def account(self, row: Any) -> object:
        """Return the account's short address, as a link."""
        return link(row.safe, short_address(row.safe.address))


class StuckFilter(admin.SimpleListFilter):
    """The rows that overview.py counts as stuck (R60)."""

    title = "whether it moves"
    parameter_name = "stuck"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the one choice."""
        return [("yes", f"Stuck for {overview.STUCK_MINUTES} minutes")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        """Keep the stuck ones when asked."""
        if self.value() != "yes":
            return queryset
        stuck = overview.stuck(queryset.model, now=timezone.now())
        return queryset.filter(pk__in=stuck.order_by().values("pk"))


class FailureFilter(admin.AllValuesFieldListFilter):
    """The failure codes that occur; rows without one are named too."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Give the empty code a name: a link needs words."""
        for choice in super().choices(changelist):
            yield choice | {"display": choice["display"] or "No failure"}


class NudgeAdmin(ChainAdminBase):
    """A read-only model whose stuck rows can be nudged."""

    actions = ["nudge_again"]

    @admin.action(description="Nudge again", permissions=["view"])
    def nudge_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Give the chosen rows back to the workers, and say what became of them."""
        counts: Counter[nudging.Outcome] = Counter()
        for row in queryset:
            counts[nudging.reset(row=row, actor=person(request))] += 1
            self.nudge(row)
        parts = [f"{outcome.label}: {count}." for outcome, count in counts.items()]
        is_idle = set(counts) == {nudging.Outcome.IDLE}
        messages.add_message(
            request,
            messages.WARNING if is_idle else messages.SUCCESS,
            f"Nudged: {counts.total()}. {' '.join(parts)}",
        )

    def nudge(self, row: Any) -> None:
        """Wake the worker that this row waits for."""
        raise NotImplementedError
