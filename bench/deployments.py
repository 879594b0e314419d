"""A thousand accounts from their registration to the chain (PostgreSQL and Redis).

People register as in ``bench.registrations``; the clock runs until the follower has
seen the last account's code. Transactions and their gas come from the chain's receipts.
"""

from __future__ import annotations

import argparse
import time

from django.conf import settings
from django.db.models import Sum

from bench import environment, processes, report, stack
from bench.registrations import PEOPLE, Person, register_all
from onchain.models import RelayerTransaction, Safe

GOAL_GAS = 370_000  # for each account
PATIENCE = 600  # seconds


def main() -> None:
    """Print seconds, transactions, gas and memory as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    count = parser.parse_args().people
    people = [Person() for _ in range(count)]
    with stack.running() as supervisor:
        began = time.perf_counter()
        registered = register_all(people)
        report.progress(f"{count} registered")
        stack.wait_for(_all_deployed, "the accounts", seconds=PATIENCE, pause=0.2)
        seconds = time.perf_counter() - began
        stack.wait_for(_all_settled, "the receipts", seconds=60, pause=0.2)
        sent = RelayerTransaction.objects.filter(
            purpose=RelayerTransaction.Purpose.DEPLOY
        )
        transactions = sent.count()
        used = sent.aggregate(total=Sum("gas_used"))["total"] or 0
        accounts = Safe.objects.filter(status=Safe.Status.DEPLOYED).count()
        memory = processes.memory_by_program(supervisor.pid)
    each = used / accounts
    rows = [
        (f"{accounts:,} accounts, registered", f"{registered:.1f} s", "", ""),
        ("the same, until the last is Live", f"{seconds:.1f} s", "", ""),
        ("transactions of the relayer", f"{transactions:,}", "", ""),
        (
            "gas for each account",
            f"{each:,.0f}",
            f"{GOAL_GAS:,}",
            report.verdict(each, GOAL_GAS),
        ),
        *((f"memory: {name}", f"{size:.0f} MB", "", "") for name, size in memory),
    ]
    limit = f"CEREMONY_BEGINS_PER_MINUTE={settings.CEREMONY_BEGINS_PER_MINUTE}"
    headings = (f"{environment.stores()}, {limit}", "seen", "goal", "")
    report.show(report.table(headings, rows))


def _all_deployed() -> bool:
    return not Safe.objects.exclude(status=Safe.Status.DEPLOYED).exists()


def _all_settled() -> bool:
    return not RelayerTransaction.objects.in_flight().exists()


if __name__ == "__main__":
    main()
