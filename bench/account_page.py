"""The account's page: database queries and response time, by length of the history."""

from __future__ import annotations

import argparse
import time

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import report, stack
from bench.visitor import Status, Visitor, account_url, live_visitor
from onchain.models import Safe
from tests.wallets import Wallet, make_operation

HISTORIES = (0, 20, 500)  # operations
GOAL_QUERIES = 10


def main() -> None:
    """Print queries and times as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    rows = []
    with stack.running():
        visitor, safe = live_visitor()
        for length in HISTORIES:
            fill(visitor, safe, length)
            queries = count_queries(safe)
            times = [milliseconds(visitor, safe) for _ in range(runs)]
            rows.append(
                (
                    f"{length} operations",
                    str(queries),
                    str(GOAL_QUERIES),
                    report.verdict(queries, GOAL_QUERIES),
                    *report.median_and_p95(times, "ms"),
                )
            )
    headings = ("Account page", "queries", "goal", "", "median over HTTP", "p95")
    report.show(report.table(headings, rows))


def fill(visitor: Visitor, safe: Safe, length: int) -> None:
    """Give the account a history of this length."""
    wallet = Wallet(user=safe.created_by, passkey=visitor.passkey, safe=safe)
    for _ in range(length - safe.operations.count()):
        make_operation(wallet, Status.INCLUDED)


def count_queries(safe: Safe) -> int:
    """Return the most queries of a few views, the session's included.

    The first asks a worker for the balance, those right after it do not.
    """
    client = Client(headers={"host": settings.SITE_ORIGIN.split("//")[1]})
    client.force_login(safe.created_by)
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as captured:
            response = client.get(account_url(safe, "safe-detail"))
        if response.status_code != 200:
            raise RuntimeError(f"the page answers {response.status_code}")
        counts.append(len(captured))
    return max(counts)


def milliseconds(visitor: Visitor, safe: Safe) -> float:
    """Return how long the running site takes for the page."""
    began = time.perf_counter()
    visitor.get(account_url(safe, "safe-detail"))
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
