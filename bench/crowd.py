"""Two hundred payments from two hundred accounts, handed over at one moment.

Every payment is prepared and signed before the clock starts. It starts when the workers
are told, all at once, and stops for each payment when another process reads INCLUDED
from its row.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connection

from bench import environment, gas, report, stack
from bench.gas import BATCH, KNOWN, Account, opened
from onchain import tasks
from onchain.clients.anvil import Anvil
from onchain.clients.factory import node_for
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.events import USER_OPERATION_EVENT

ACCOUNTS = 200
PATIENCE = 300  # seconds
THREADS = 8


def main() -> None:
    """Print the times as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    count = parser.parse_args().accounts
    with stack.running():
        Anvil(node_for(settings.CHAIN_ID).rpc).set_balance(KNOWN, 10**18)
        accounts: list[Account] = []
        while len(accounts) < count:
            accounts += opened(BATCH)
        report.progress(f"{len(accounts)} accounts")
        with ThreadPoolExecutor(THREADS) as pool:
            operations = list(pool.map(_signed, accounts[:count]))
        report.progress(f"{count} payments are signed")
        times = _included(operations)
        events = _events_since_start()
    doubled = events - len(set(times))
    seconds = max(times.values())
    milliseconds = [value * 1000 for value in times.values()]
    median, p95 = report.median_and_p95(milliseconds, "ms")
    rows = [
        ("all included", f"{seconds:.1f} s"),
        ("one, median", median),
        ("the same, p95", p95),
        ("in a second", f"{count / seconds:.1f}"),
        ("UserOperationEvents more than payments", str(doubled)),
    ]
    headings = (f"{environment.stores()}, {count} payments at once", "seen")
    report.show(report.table(headings, rows))


def _signed(account: Account) -> UserOperation:
    """Return a signed payment of an account; who pays is the account itself."""
    try:
        op = gas.prepared(account.safe, is_sponsored=False, recipient=KNOWN)
        gas.signed(account, op)
    finally:
        connection.close()
    return op


def _included(operations: list[UserOperation]) -> dict[int, float]:
    """Tell the workers of all payments; return the seconds of each until Included."""
    waiting = {op.pk for op in operations}
    times: dict[int, float] = {}
    began = time.perf_counter()
    for pk in sorted(waiting):
        tasks.submit_user_operation.delay(pk)

    def are_included() -> bool:
        rows = UserOperation.objects.filter(pk__in=waiting)
        for pk, status in rows.values_list("pk", "status"):
            if status == Status.INCLUDED:
                times[pk] = time.perf_counter() - began
                waiting.discard(pk)
            elif status not in (Status.SIGNED, Status.SUBMITTED):
                raise RuntimeError(f"operation {pk} is {status}")
        return not waiting

    stack.wait_for(are_included, "the payments", seconds=PATIENCE, pause=0.02)
    return times


def _events_since_start() -> int:
    """Return how many operations the EntryPoint carried out; nobody else sends any."""
    logs = node_for(settings.CHAIN_ID).rpc.call(
        "eth_getLogs",
        {
            "fromBlock": "0x0",
            "address": f"0x{ENTRY_POINT.hex()}",
            "topics": [f"0x{USER_OPERATION_EVENT.hex()}"],
        },
    )
    return len(logs)


if __name__ == "__main__":
    main()
