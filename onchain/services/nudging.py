"""Giving stuck work back to the workers, by an operator's hand.

Nothing is forced: a failed deployment queues up again, and a waiting operation may be
attempted at once. Money, keys and owners are not touched (security.md R26).
"""

from __future__ import annotations

from django.db.models import Model

from accounts.models import User
from onchain.models import RelayerTransaction, Safe, UserOperation
from onchain.services import journal, safes


def reset(*, row: Model, actor: User) -> None:
    """Forget the last attempt of a row, so that the next one need not wait."""
    journal.note(actor=actor, action="nudge", target=f"{row._meta.model_name} {row.pk}")
    if isinstance(row, Safe):
        safes.nudge_again(safe=row)
    elif isinstance(row, UserOperation):
        UserOperation.objects.filter(pk=row.pk).update(last_problem="")
    elif isinstance(row, RelayerTransaction):
        RelayerTransaction.objects.in_flight().filter(pk=row.pk).update(
            broadcast_at=None
        )
