"""What following the chain costs: `python -m bench.follower`.

A real anvil mines blocks; the follower reads them into a database of its own with 10,
10,000 and 100,000 accounts and with 0 and 100 operations that wait. Printed for each:
blocks a second, RPC requests and database queries per block while blocks come one by
one, then how long a gap of 10,000 blocks takes and the process's peak memory.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench import environment, report, stack
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from onchain.models import Chain, Safe, UserOperation
from onchain.services import chains, follower
from tests.e2e.outages import Part
from tests.factories import make_operation, make_wallet
from wallet_site import chain_state
from wallet_site.processes import Program

BLOCKS = 30  # one by one, for each row of the table
MINED_AT_ONCE = 500  # of the gap, so that anvil answers in time
STATUS = UserOperation.Status.SUBMITTED


class CountingRpc(JsonRpc):
    """Counts HTTP requests, each of which may hold many calls."""

    requests = 0

    def _post(self, body):
        CountingRpc.requests += 1
        return super()._post(body)


def main() -> int:
    """Run and print; exit code 1 when requests depend on accounts or operations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gap", type=int, default=10_000, help="blocks to catch up")
    parser.add_argument(
        "--accounts", type=int, nargs="+", default=[10, 10_000, 100_000]
    )
    options = parser.parse_args()
    stack.end_on_sigterm()
    with environment.own_stores():
        try:
            return run(options)
        finally:
            connection.close()


def run(options: argparse.Namespace) -> int:
    """Start a chain, and measure what following it costs."""
    call_command("migrate", verbosity=0)
    port = chain_state.free_port()
    url = f"http://127.0.0.1:{port}"
    program = Program(
        name="chain",
        argv=chain_state.anvil_argv(
            port=port,
            state=Path(settings.VAR_DIR) / "state.json",
            load=chain_state.base_state(report=report.progress),
        ),
        answers=partial(chain_state.answers, chain_state.connect(url=url)),
    )
    part = Part(program, settings.BASE_DIR)
    part.start()
    try:
        return measure(Node(CountingRpc(url=url, timeout=30)), options)
    finally:
        part.stop()


def measure(node: Node, options: argparse.Namespace) -> int:
    """Print the table, then the gap."""
    node.rpc.call("evm_setIntervalMining", 0)
    chain = chains.connect(node=node)
    wallet = make_wallet(chain=chain)
    catch_up(chain, node)
    seen = set()
    rows = []
    for accounts in options.accounts:
        add_accounts(wallet.safe, accounts)
        for waiting in (0, 100):
            set_waiting(wallet, waiting)
            row = one_by_one(chain, node)
            seen.add(row[1])
            rows.append((f"{accounts:,} accounts, {waiting} waiting", *row))
            report.progress(rows[-1][0])
    headings = (
        f"{environment.stores()}, one block at a time",
        "blocks/s",
        "requests/block",
        "queries/block",
    )
    report.show(report.table(headings, rows))
    set_waiting(wallet, 0)
    before = peak_mib()
    for _ in range(0, options.gap, MINED_AT_ONCE):
        node.rpc.call("anvil_mine", hex(min(MINED_AT_ONCE, options.gap)))
    started = time.monotonic()
    catch_up(chain, node)
    seconds = time.monotonic() - started
    rows = [
        ("seconds", f"{seconds:.1f}"),
        ("blocks in a second", f"{options.gap / seconds:.0f}"),
        ("peak memory of the process", f"{peak_mib()} MiB"),
        ("more than before the gap", f"{peak_mib() - before} MiB"),
    ]
    headings = (f"A gap of {options.gap:,} blocks", "seen")
    report.show(f"\n{report.table(headings, rows)}")
    return 0 if len(seen) == 1 else 1


def one_by_one(chain: Chain, node: Node) -> tuple[str, str, str]:
    """Return blocks a second, requests and queries per block."""
    catch_up(chain, node)
    CountingRpc.requests = queries = 0
    spent = 0.0
    for _ in range(BLOCKS):
        node.rpc.call("anvil_mine", "0x1")
        CountingRpc.requests -= 1
        started = time.monotonic()
        with CaptureQueriesContext(connection) as captured:
            follower.advance(chain=chain, node=node)
        spent += time.monotonic() - started
        queries += len(captured)
    per_block = CountingRpc.requests / BLOCKS
    return f"{BLOCKS / spent:.0f}", f"{per_block:.2f}", f"{queries / BLOCKS:.1f}"


def catch_up(chain: Chain, node: Node) -> None:
    """Read until nothing is new."""
    while follower.advance(chain=chain, node=node):
        pass


def add_accounts(like: Safe, count: int) -> None:
    """Have this many accounts in all, known to the follower already."""
    start = Safe.objects.count()
    Safe.objects.bulk_create(
        (
            Safe(
                chain=like.chain,
                created_by=like.created_by,
                name="Account",
                address=(2**100 + number).to_bytes(20, "big"),
                verifiers=0,
                setup_data=b"",
                status=Safe.Status.DEPLOYED,
                owners_synced_block=1,
                synced_at_block=1,
            )
            for number in range(start, count)
        ),
        batch_size=1_000,
    )


def set_waiting(wallet, count: int) -> None:
    """Have this many submitted operations that no block includes."""
    UserOperation.objects.all().delete()
    now = timezone.now()
    for number in range(count):
        make_operation(
            wallet,
            status=STATUS,
            prepared_at=now,
            signed_at=now,
            submitted_at=now,
            nonce_key=number,
            nonce_sequence=0,
            valid_until=2**40,
        )


def peak_mib() -> int:
    """Return this process's peak memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
