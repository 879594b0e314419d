"""From the passkey's answer to Included in the row, through the whole running site.

The clock starts when the form with the assertion is posted and stops when another
process reads INCLUDED from the row.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass

from bench import environment, report, stack
from bench.visitor import Status, Visitor, live_visitor, wait_until
from onchain.models import Safe

RECIPIENT = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
GOALS = {"SQLite and files": 450, "PostgreSQL and Redis": 300}  # milliseconds
WARM_UP = 5  # payments; threads of web and worker open their connections


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One payment's times, in milliseconds."""

    total: float
    answered: float  # POST sent -> its response
    signed: float  # POST sent -> SIGNED
    submitted: float  # SIGNED -> SUBMITTED
    included: float  # SUBMITTED -> INCLUDED


def main() -> None:
    """Print the times as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    with stack.running():
        visitor, safe = live_visitor()
        for _ in range(WARM_UP):
            measure(visitor, safe)
        samples = []
        for number in range(runs):
            samples.append(measure(visitor, safe))
            report.progress(f"payment {number + 1}: {samples[-1].total:.0f} ms")
    report.show(as_table(samples))


def measure(visitor: Visitor, safe: Safe) -> Sample:
    """Make one payment and return its times."""
    op = visitor.prepared(safe, recipient=RECIPIENT, amount="0.001")
    answer = visitor.authorization(op)
    began_at = time.time()
    began = time.perf_counter()
    visitor.authorize(op, answer)
    answered = time.perf_counter()
    wait_until(op, Status.INCLUDED)
    ended = time.perf_counter()
    # The follower may see the operation before the worker has the bundler's answer:
    # then the row was never SUBMITTED.
    submitted_at = op.submitted_at or op.included_at
    if op.signed_at is None or op.included_at is None or submitted_at is None:
        raise RuntimeError(f"{op} has no times")
    return Sample(
        total=(ended - began) * 1000,
        answered=(answered - began) * 1000,
        signed=(op.signed_at.timestamp() - began_at) * 1000,
        submitted=(submitted_at - op.signed_at).total_seconds() * 1000,
        included=(op.included_at - submitted_at).total_seconds() * 1000,
    )


def as_table(samples: list[Sample]) -> str:
    """Return the times as Markdown."""
    stores = environment.stores()
    total = [sample.total for sample in samples]
    goal = GOALS.get(stores)
    verdict = "" if goal is None else report.verdict(statistics.median(total), goal)
    rows = [
        ("**Assertion posted to Included in the row**", total, goal, verdict),
        ("of these: the POST is answered", [s.answered for s in samples], None, ""),
        ("posted to SIGNED", [s.signed for s in samples], None, ""),
        ("SIGNED to SUBMITTED", [s.submitted for s in samples], None, ""),
        ("SUBMITTED to INCLUDED", [s.included for s in samples], None, ""),
    ]
    return report.table(
        (f"{stores}, {len(samples)} payments", "median", "p95", "goal", ""),
        [
            (
                name,
                *report.median_and_p95(values, "ms"),
                "" if goal is None else f"{goal} ms",
                verdict,
            )
            for name, values, goal, verdict in rows
        ],
    )


if __name__ == "__main__":
    main()
