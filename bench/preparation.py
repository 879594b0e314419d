"""Preparing an operation: wall time and HTTP round trips of the service itself.

It runs in this process against the real node and bundler of a running site, without
the broker; each draft is withdrawn again.
"""

from __future__ import annotations

import argparse
import secrets
import time
import uuid
from typing import Any

import requests
from django.conf import settings
from django.test import override_settings
from requests.adapters import HTTPAdapter

from bench import report, stack
from bench.visitor import Status, live_visitor
from onchain.clients import json_rpc
from onchain.clients.factory import bundler_for, node_for
from onchain.models import Safe, UserOperation
from onchain.protocol.types import to_address
from onchain.services import preparation, user_operations

RECIPIENT = to_address("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
GOAL_ROUND_TRIPS = 2
WARM_UP = 2


class CountingAdapter(HTTPAdapter):
    """A transport that counts the requests it sends."""

    def __init__(self) -> None:
        super().__init__()
        self.round_trips = 0

    def send(self, request: Any, *args: Any, **options: Any) -> requests.Response:
        """Count one request and send it."""
        self.round_trips += 1
        return super().send(request, *args, **options)


def main() -> None:
    """Print time and round trips as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    counter = CountingAdapter()
    json_rpc._session().mount("http://", counter)
    with stack.running():
        _visitor, safe = live_visitor()
        for _ in range(WARM_UP):
            measure(safe, counter)
        samples = [measure(safe, counter) for _ in range(runs)]
    times = [milliseconds for milliseconds, _ in samples]
    trips = max(count for _, count in samples)
    report.show(
        report.table(
            (f"{runs} operations", "median", "p95", "goal", ""),
            [
                ("Prepare an operation", *report.median_and_p95(times, "ms"), "", ""),
                (
                    "HTTP round trips, the most",
                    *(str(trips), str(trips), str(GOAL_ROUND_TRIPS)),
                    report.verdict(trips, GOAL_ROUND_TRIPS),
                ),
            ],
        )
    )


def measure(
    safe: Safe, counter: CountingAdapter, *, is_sponsored: bool = True
) -> tuple[float, int]:
    """Prepare one draft; return milliseconds and round trips."""
    draft = user_operations.draft(
        safe=safe,
        user=safe.created_by,
        recipient=RECIPIENT,
        # Another amount each time: an operation's hash is unique, and within one block
        # the same payment, withdrawn and prepared again, would have the same hash.
        value_wei=secrets.randbelow(10**15) + 1,
        idempotency_key=uuid.uuid4(),
    )
    op = UserOperation.objects.select_related("safe__chain", "predecessor").get(
        pk=draft.pk
    )
    limit = settings.SPONSOR_DAILY_OPERATIONS if is_sponsored else 0
    with override_settings(SPONSOR_DAILY_OPERATIONS=limit):
        before = counter.round_trips
        began = time.perf_counter()
        preparation.prepare(
            op=op,
            node=node_for(safe.chain.chain_id),
            bundler=bundler_for(safe.chain.chain_id),
            sponsor_key=settings.SPONSOR_PRIVATE_KEY,
        )
        milliseconds = (time.perf_counter() - began) * 1000
    op.refresh_from_db()
    if op.status != Status.AWAITING_SIGNATURES:
        raise RuntimeError(f"{op} is {op.status}: {op.failure_code}")
    user_operations.withdraw(op=op)
    return milliseconds, counter.round_trips - before


if __name__ == "__main__":
    main()
