"""AbstractionKit 0.2.41 beside this site, on the same chain and bundler.

Pairs alternate, so that a busy moment of the machine meets both. Each side prepares as
its users do: ours by the service that the worker calls, theirs by createUserOperation.
Both accounts pay for themselves, with the P-256 precompile, to a recipient that the
chain knows, with a passkey in software that answers the same way.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass, field

from django.conf import settings

from bench import gas, preparation, report, stack
from bench.abstractionkit_peer import Paid, Peer, Theirs, running_peer, transaction_gas
from bench.gas import KNOWN, Account, deployment_gas, opened
from bench.visitor import Status, wait_until
from onchain import tasks
from onchain.clients import json_rpc
from onchain.clients.anvil import Anvil
from onchain.clients.factory import node_for

BATCH = 10
# Ours divided by theirs: the most that is allowed.
PREPARE, ALONE, BATCHED, TRANSACTION, CHARGED = 1.15, 0.90, 0.85, 1.01, 1.05
ROUND_TRIPS = 2


def main() -> None:
    """Print both sides as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    with stack.running(), running_peer() as peer:
        Anvil(node_for(settings.CHAIN_ID).rpc).set_balance(KNOWN, 10**18)
        first = first_payments(peer, runs)
        report.progress("first payments")
        later = later_payments(peer, runs)
        report.progress("later payments")
        prepared = preparations(peer, runs)
    report.show(as_table(runs, first, later, prepared))


@dataclass
class First:
    """Gas that is paid for having an account and making its first payment.

    Their operation deploys the account itself, so its actualGasUsed is all of it; ours
    is the gas of the relayer's transaction and the operation's actualGasUsed.
    """

    theirs: list[int] = field(default_factory=list)
    alone: list[int] = field(default_factory=list)
    batched: list[int] = field(default_factory=list)


def first_payments(peer: Peer, runs: int) -> First:
    """Deploy and pay once, on both sides."""
    found = First()
    batch: list[Account] = []
    for _ in range(runs):
        theirs = Theirs(peer)
        theirs.open()
        found.theirs.append(theirs.pay().charged)
        (single,) = opened(1)
        found.alone.append(deployment_gas(single.safe) + ours(single).charged)
        batch = batch or opened(BATCH)
        account = batch.pop()
        share = deployment_gas(account.safe) // BATCH
        found.batched.append(share + ours(account).charged)
    return found


def later_payments(peer: Peer, runs: int) -> list[tuple[Paid, Paid]]:
    """Pay from accounts that have paid before; ours first in each pair."""
    (account,) = opened(1)
    theirs = Theirs(peer)
    theirs.open()
    ours(account)
    theirs.pay()
    return [(ours(account), theirs.pay()) for _ in range(runs)]


def ours(account: Account) -> Paid:
    """Make one payment that the account pays for itself."""
    op = gas.prepared(account.safe, is_sponsored=False, recipient=KNOWN)
    gas.signed(account, op)
    began = time.perf_counter()
    tasks.submit_user_operation.delay(op.pk)
    wait_until(op, Status.INCLUDED)
    milliseconds = (time.perf_counter() - began) * 1000
    if op.transaction_hash is None or op.is_sponsored:
        raise RuntimeError(f"{op} names no transaction, or was sponsored")
    used = transaction_gas(op.transaction_hash)
    return Paid(used, int(op.actual_gas_used or 0), milliseconds)


@dataclass
class Prepared:
    """Milliseconds and HTTP round trips of preparing."""

    ours: list[tuple[float, int]] = field(default_factory=list)
    theirs: list[tuple[float, int]] = field(default_factory=list)


def preparations(peer: Peer, runs: int) -> Prepared:
    """Prepare on both sides in turn; nothing is sent."""
    counter = preparation.CountingAdapter()
    json_rpc._session().mount("http://", counter)
    (account,) = opened(1)
    theirs = Theirs(peer)
    theirs.open()
    ours(account)
    theirs.pay()
    found = Prepared()
    for number in range(runs + preparation.WARM_UP):
        mine = preparation.measure(account.safe, counter, is_sponsored=False)
        answer = theirs.prepare()
        if number >= preparation.WARM_UP:
            found.ours.append(mine)
            found.theirs.append((answer["milliseconds"], answer["roundTrips"]))
    return found


def as_table(
    runs: int, first: First, later: list[tuple[Paid, Paid]], prepared: Prepared
) -> str:
    """Return both sides with the ratio of their medians beside its goal."""
    mine, other = zip(*later, strict=True)

    def row(
        name: str, ours: list[float], theirs: list[float], goal: float, unit: str = ""
    ) -> tuple[str, ...]:
        medians = statistics.median(ours), statistics.median(theirs)
        ratio = medians[0] / medians[1]
        figures = tuple(f"{value:,.0f}{unit}" for value in medians)
        verdict = report.verdict(ratio, goal)
        return (name, *figures, f"{ratio:.3f}", f"{goal:.2f}", verdict)

    trips = max(count for _, count in prepared.ours)
    their_trips = max(count for _, count in prepared.theirs)
    rows = [
        row(
            "Prepare an operation",
            [time_ for time_, _ in prepared.ours],
            [time_ for time_, _ in prepared.theirs],
            PREPARE,
            " ms",
        ),
        (
            "HTTP round trips of that, the most",
            *(str(trips), str(their_trips), "", str(ROUND_TRIPS)),
            report.verdict(trips, ROUND_TRIPS),
        ),
        row("Deploy and first send, gas paid", [*first.alone], [*first.theirs], ALONE),
        row(
            f"the same, deployed in batches of {BATCH}",
            [*first.batched],
            [*first.theirs],
            BATCHED,
        ),
        row(
            "Later send, gas of the transaction",
            [paid.transaction for paid in mine],
            [paid.transaction for paid in other],
            TRANSACTION,
        ),
        row(
            "Later send, actualGasUsed",
            [paid.charged for paid in mine],
            [paid.charged for paid in other],
            CHARGED,
        ),
        row(
            "Handed over to known included",
            [paid.milliseconds for paid in mine],
            [paid.milliseconds for paid in other],
            1.0,
            " ms",
        ),
    ]
    headings = (f"Medians of {runs} pairs", "ours", "AbstractionKit", "ratio")
    return report.table((*headings, "goal", ""), rows)


if __name__ == "__main__":
    main()
