"""Giving stuck work back to the workers, by an operator's hand.

Nothing is forced: a failed deployment queues up again, and a waiting operation may be
attempted at once. Money, keys and owners are not touched (security.md R26).
"""

from __future__ import annotations

from django.db.models import Model, TextChoices

from accounts.models import User
from onchain.models import Chain, KeyProof, RelayerTransaction, Safe, UserOperation
from onchain.models.operation_states import AWAITING_NETWORK
from onchain.services import journal, safes


class Outcome(TextChoices):
    """What a nudge did, in the words that the console and the journal use."""

    QUEUED = "queued", "Put back into the queue"
    WOKEN = "woken", "Given to a worker again"
    IDLE = "idle", "Nothing was waiting for a worker"


def reset(*, row: Model, actor: User) -> Outcome:
    """Forget the last attempt of a row, so that the next one need not wait.

    Safe to repeat. Returns what happened, which the journal keeps too.
    """
    outcome = _reset(row)
    journal.note(
        actor=actor,
        action="nudge",
        target=f"{row._meta.model_name} {row.pk}",
        detail=str(outcome.label),
    )
    return outcome


def _reset(row: Model) -> Outcome:
    if isinstance(row, Safe):
        return _reset_safe(row)
    if isinstance(row, UserOperation):
        waiting = UserOperation.objects.filter(pk=row.pk, status__in=AWAITING_NETWORK)
        return _woken_if(waiting.update(last_problem="") == 1)
    if isinstance(row, RelayerTransaction):
        sent = RelayerTransaction.objects.in_flight().filter(pk=row.pk)
        was_sent = sent.update(broadcast_at=None) == 1
        return _woken_if(was_sent or row.status == RelayerTransaction.Status.QUEUED)
    if isinstance(row, KeyProof):
        return _woken_if(row.status == KeyProof.Status.SIGNED)
    return _woken_if(isinstance(row, Chain))


def _reset_safe(safe: Safe) -> Outcome:
    """A failed account queues up; one that nobody asked to deploy stays as it is."""
    if safes.nudge_again(safe=safe):
        return Outcome.QUEUED
    is_asked = safe.deployment_requested_at is not None
    is_queued = safe.status == Safe.Status.QUEUED and is_asked
    return _woken_if(is_queued or safe.status == Safe.Status.BROADCAST)


def _woken_if(is_waiting: bool) -> Outcome:
    return Outcome.WOKEN if is_waiting else Outcome.IDLE
