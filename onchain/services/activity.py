"""What happened in an account, newest first: its operations and what it received.

Two tables in one order. A page asks for places in that order, and only the rows that it
shows are loaded: two queries, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, F, QuerySet, Value

from onchain.models import Safe, Transfer, UserOperation
from onchain.services import contacts

OPERATION = "operation"
TRANSFER = "transfer"
Place = tuple[str, int, Any]  # kind, primary key, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of an account's activity: an operation or a transfer."""

    operation: UserOperation | None = None
    transfer: Transfer | None = None

    @property
    def is_waiting(self) -> bool:
        """True while the network may still change what the line says."""
        if self.transfer is not None:
            return not self.transfer.is_confirmed
        return self.operation is not None and self.operation.is_awaiting_network


def places(*, safe: Safe) -> QuerySet[Any, Place]:
    """Return kind and key of all that happened, newest first."""
    columns = ("entry_kind", "pk", "moment")
    operations = safe.operations.order_by().annotate(
        entry_kind=Value(OPERATION, CharField()), moment=F("created_at")
    )
    transfers = safe.received_transfers.order_by().annotate(
        entry_kind=Value(TRANSFER, CharField()), moment=F("received_at")
    )
    both = operations.values_list(*columns).union(
        transfers.values_list(*columns), all=True
    )
    return both.order_by("-moment", "-id")


def load(*, places: Iterable[Place]) -> list[Entry]:
    """Return the lines at these places, in their order."""
    chosen = list(places)
    operations = (
        UserOperation.objects.select_related(
            "safe__chain", "new_credential", "invitation"
        )
        .annotate(contact_name=contacts.name_at("recipient"))
        .in_bulk([pk for kind, pk, _moment in chosen if kind == OPERATION])
    )
    transfers = (
        Transfer.objects.select_related("safe__chain")
        .annotate(contact_name=contacts.name_at("sender"))
        .in_bulk([pk for kind, pk, _moment in chosen if kind == TRANSFER])
    )
    entries = [
        Entry(operation=operations.get(pk))
        if kind == OPERATION
        else Entry(transfer=transfers.get(pk))
        for kind, pk, _moment in chosen
    ]
    return [entry for entry in entries if entry.operation or entry.transfer]
