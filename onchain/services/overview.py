"""What operators ask first: is all well, what is stuck, what failed.

Rows only, never the network. One function answers one question, with one or two
queries however many rows there are (security.md R60).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import CharField, Count, F, Max, Min, Model, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django_celery_results.models import TaskResult

from onchain.models import (
    JournalEntry,
    KeyProof,
    RelayerTransaction,
    Safe,
    UserOperation,
)
from onchain.models.operation_states import AWAITING_NETWORK, Status
from onchain.services import budgets

STUCK_MINUTES = 5  # R60: what has not moved for longer waits for an operator
FAILURE_HOURS = 24
NEWEST_ENTRIES = 6  # of the journal
NO_CODE = "no-code"
TASK = "task"  # the kind of a Celery task's error; the others are model names


# --- What is stuck? -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Work of one kind: how much is under way, and how much of it does not move."""

    under_way: int
    stuck: int
    stuck_since: datetime | None  # of the one that has not moved for longest


def unfinished(model: type[Model]) -> QuerySet[Any]:
    """Return the rows of which the system has the next move, with ``moved_at``.

    What waits for a person is not among them: an open review, an account that nobody
    has paid, a proof that nobody has touched. A deployment that was given up is: only
    an operator can move it. A signed proof counts from when it was asked for.

    Raises:
        KeyError: rows of this model do not wait for anything.
    """
    return _UNFINISHED[model]()


def stuck(model: type[Model], *, now: datetime) -> QuerySet[Any]:
    """Return the unfinished rows that have not moved for five minutes."""
    return unfinished(model).filter(moved_at__lt=_limit(now))


def work(model: type[Model], *, now: datetime) -> Work:
    """Return how much of a model is under way and how much of it is stuck."""
    is_stuck = Q(moved_at__lt=_limit(now))
    counts = unfinished(model).aggregate(
        under_way=Count("pk"),
        stuck=Count("pk", filter=is_stuck),
        stuck_since=Min("moved_at", filter=is_stuck),
    )
    return Work(**counts)


def _limit(now: datetime) -> datetime:
    return now - timedelta(minutes=STUCK_MINUTES)


def _operations() -> QuerySet[UserOperation]:
    return UserOperation.objects.filter(status__in=AWAITING_NETWORK).annotate(
        moved_at=Coalesce("submitted_at", "signed_at", "created_at")
    )


def _deployments() -> QuerySet[Safe]:
    asked = Q(status=Safe.Status.QUEUED, deployment_requested_at__isnull=False)
    asked &= ~budgets.held_back()
    sent = Q(status__in=[Safe.Status.BROADCAST, Safe.Status.FAILED])
    return Safe.objects.filter(asked | sent).annotate(
        moved_at=Coalesce(
            "deployment_transaction__created_at",
            "deployment_requested_at",
            "created_at",
        )
    )


def _transactions() -> QuerySet[RelayerTransaction]:
    queued = RelayerTransaction.objects.filter(status=RelayerTransaction.Status.QUEUED)
    rows = queued | RelayerTransaction.objects.in_flight()
    return rows.annotate(moved_at=Coalesce("broadcast_at", "created_at"))


def _proofs() -> QuerySet[KeyProof]:
    signed = KeyProof.objects.filter(status=KeyProof.Status.SIGNED)
    return signed.annotate(moved_at=F("created_at"))


_UNFINISHED = {
    UserOperation: _operations,
    Safe: _deployments,
    RelayerTransaction: _transactions,
    KeyProof: _proofs,
}


# --- What failed? ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Rows of one kind that failed for one reason."""

    kind: str  # a model's name, or TASK
    code: str
    count: int
    newest: datetime


def failures(*, now: datetime) -> list[FailureGroup]:
    """Return what failed in the last day by kind and code, the most frequent first.

    An operation that ran out of time counts where the system was too slow: it was
    signed, or could not be prepared. Most rows keep no time of their end, so their
    beginning counts, and a deployment's is when it was asked for.
    """
    since = now - timedelta(hours=FAILURE_HOURS)
    too_late = Q(status=Status.EXPIRED)
    too_late &= Q(signed_at__isnull=False) | Q(failure_code="not-prepared")
    ended = Q(status__in=[Status.REJECTED, Status.REVERTED]) | too_late
    groups = [
        _grouped(UserOperation.objects.filter(ended), since),
        _grouped(
            Safe.objects.filter(status=Safe.Status.FAILED),
            since,
            at=Coalesce("deployment_requested_at", "created_at"),
        ),
        _grouped(
            RelayerTransaction.objects.filter(status=RelayerTransaction.Status.FAILED),
            since,
        ),
        _grouped(
            KeyProof.objects.filter(status=KeyProof.Status.REFUSED),
            since,
            code=Value("refused", CharField()),
        ),
        _grouped(
            TaskResult.objects.filter(status="FAILURE"),
            since,
            kind=TASK,
            code=Coalesce("task_name", Value("", CharField())),
            at=F("date_done"),
        ),
    ]
    rows = groups[0].union(*groups[1:], all=True)
    found = [
        FailureGroup(kind=kind, code=code or NO_CODE, count=count, newest=newest)
        for kind, code, count, newest in rows
    ]
    return sorted(found, key=lambda group: (-group.count, group.kind, group.code))


def _grouped(
    rows: QuerySet[Any],
    since: datetime,
    *,
    kind: str = "",
    code: Any = None,
    at: Any = None,
) -> QuerySet[Any]:
    """Return (kind, code, count, newest) of the rows since then, by code."""
    grouped: QuerySet[Any] = (
        rows.order_by()
        .annotate(
            failed_kind=Value(kind or str(rows.model._meta.model_name), CharField()),
            failed_code=F("failure_code") if code is None else code,
            failed_at=F("created_at") if at is None else at,
        )
        .filter(failed_at__gte=since)
        .values("failed_kind", "failed_code")
        .annotate(count=Count("pk"), newest=Max("failed_at"))
        .filter(count__gt=0)  # constants alone make one group, even of nothing
        .values_list("failed_kind", "failed_code", "count", "newest")
    )
    return grouped


# --- What did we do? ------------------------------------------------------------------


def newest_entries() -> list[JournalEntry]:
    """Return the newest lines of the journal with their operators."""
    return list(JournalEntry.objects.select_related("actor")[:NEWEST_ENTRIES])
