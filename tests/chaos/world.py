"""A little world: chain, bundler, proxies before them, programs, people, and a reckoning.

The chain is asked directly, not through its proxy, when it is to say what happened.
"""

from __future__ import annotations

import secrets
import signal
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import Process
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.models import F
from kombu import Connection

from onchain import tasks
from onchain.clients.anvil import Anvil
from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from onchain.models import Chain, RelayerTransaction, Safe, UserOperation
from onchain.models.operation_states import OPEN, Status
from onchain.protocol.types import Address
from onchain.services import (
    authorization,
    chains,
    preparation,
    safes,
    user_operations,
)
from tests.chaos import programs, reckoning
from tests.chaos.fault_proxy import FaultProxy
from tests.chaos.programs import Step, Surroundings
from tests.chaos.reckoning import Facts
from tests.chaos.tally import Tally
from tests.factories import assertion_text, make_credential
from tests.soft_authenticator import SoftAuthenticator

ETHER = 10**18  # wei
PAYMENT_WEI = ETHER // 1000
SETTLE_SECONDS = 60  # what R43, R49, R51 and R52 allow
DEATH_SECONDS = 60
A_MINUTE = timedelta(minutes=1)
LOOK_SECONDS = 0.05
HANDS = 4  # people who prepare and sign at the same time
ENDED = (
    Status.INCLUDED,
    Status.REVERTED,
    Status.REJECTED,
    Status.EXPIRED,
    Status.WITHDRAWN,
    Status.REPLACED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A chain and a bundler, as they are."""

    node_url: str
    bundler_url: str

    @property
    def rpc(self) -> JsonRpc:
        """The chain, asked directly."""
        return JsonRpc(url=self.node_url, timeout=settings.CLIENT_TIMEOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a passkey and an account."""

    passkey: SoftAuthenticator
    safe: Safe


class World:
    """Everything that one scenario needs; programs are started by the scenario."""

    def __init__(
        self,
        *,
        ground: Ground,
        folder: Path,
        broker_url: str,
        tally: Tally,
        changes: dict[str, Any],
        constants: dict[str, Any],
    ) -> None:
        self.ground = ground
        self.folder = folder
        self.tally = tally
        self.node_proxy = FaultProxy(ground.node_url)
        self.bundler_proxy = FaultProxy(ground.bundler_url)
        self.surroundings = Surroundings(
            node_url=self.node_proxy.url,
            bundler_url=self.bundler_proxy.url,
            database=dict(connection.settings_dict),
            broker_url=broker_url,
            folder=folder,
            settings=dict(changes),
            constants=constants,
        )
        self.processes: list[tuple[str, Process]] = []
        self.people: list[Person] = []
        self.payments: dict[int, Address] = {}  # recipients by operation
        self.node = Node(ground.rpc)
        self.bundler = Bundler(JsonRpc(url=ground.bundler_url, timeout=10.0))
        self.first_block = 0
        self.seen = 0  # events, at the last reckoning

    def __enter__(self) -> World:
        self.node_proxy.__enter__()
        self.bundler_proxy.__enter__()
        self.first_block = self.node.head().number
        chains.connect(node=self.node)
        return self

    def __exit__(self, *_error: object) -> None:
        for _name, process in self.processes:
            process.kill()
            process.join()
        self.node_proxy.__exit__()
        self.bundler_proxy.__exit__()
        self.tally.faults += self.node_proxy.faults + self.bundler_proxy.faults

    # --- Programs --------------------------------------------------------------------

    def set(self, name: str, value: object) -> None:
        """Change a setting of the programs that start from now on."""
        self.surroundings.settings[name] = value

    def start(self, *names: str, step: Step | None = None) -> list[Process]:
        """Start programs; with a step they die there."""
        started = []
        for name in names:
            log = self.folder / f"{name}.log"
            process = programs.start(name, self.surroundings, log, step)
            self.processes.append((name, process))
            started.append(process)
        return started

    def stop(self, name: str) -> None:
        """Kill every program of this name."""
        for other, process in list(self.processes):
            if other == name:
                process.kill()
                process.join()
                self.processes.remove((other, process))

    def wait_for_death(self, process: Process) -> None:
        """Return once the program has killed itself; fail when it does not."""
        process.join(DEATH_SECONDS)
        assert process.exitcode == -signal.SIGKILL, (
            f"it did not die: {process.exitcode}\n{self.logs()}"
        )
        self.processes = [item for item in self.processes if item[1] is not process]
        self.tally.kills += 1

    def logs(self) -> str:
        """Return the last lines of every program."""
        pages = []
        for path in sorted(self.folder.glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()[-60:]
            pages.append("\n".join([f"--- {path.name}", *lines]))
        return "\n".join(pages)

    def nudge(self, task: Any, *arguments: object, times: int = 1) -> None:
        """Put a task into the world's queue, as a view would."""
        options = programs.broker_options(self.surroundings)
        url = self.surroundings.broker_url
        with Connection(url, transport_options=options) as line:
            for _time in range(times):
                task.apply_async(arguments, connection=line)

    # --- People ----------------------------------------------------------------------

    @property
    def chain(self) -> Chain:
        """The chain's row as it is now."""
        return Chain.objects.get(chain_id=settings.CHAIN_ID)

    def open_accounts(self, count: int) -> list[Person]:
        """Register people; their accounts have money and wait for the relayer."""
        chain = self.chain
        opened = []
        for _place in range(count):
            passkey = SoftAuthenticator()
            credential = make_credential(passkey)
            with transaction.atomic():
                safe = safes.open_safe(
                    user=credential.user, credential=credential, chain=chain
                )
                # No block tells of it, so the row is seen with it or not at all.
                Anvil(self.ground.rpc).set_balance(Address(safe.address), ETHER)
            opened.append(Person(passkey=passkey, safe=safe))
        self.people += opened
        return opened

    def live_accounts(self, count: int) -> list[Person]:
        """Register people and wait until their accounts are live."""
        opened = self.open_accounts(count)
        self.nudge(tasks.run_relayer, self.chain.pk)
        self.wait_until_live(opened)
        return opened

    def wait_until_live(self, people: Sequence[Person]) -> None:
        """Return once these accounts are on chain, as the rows know."""
        self.wait_until(lambda: not _not_live(people), "accounts are live")

    def sign_payments(self, people: Sequence[Person], each: int = 1) -> list[int]:
        """Let everybody sign payments; return the operations' keys."""

        def sign(person: Person) -> list[int]:
            try:
                return [self._sign_payment(person) for _place in range(each)]
            finally:
                connections.close_all()

        with ThreadPoolExecutor(HANDS) as hands:
            return [pk for keys in hands.map(sign, people) for pk in keys]

    def _sign_payment(self, person: Person) -> int:
        op = self.draft(person)
        preparation.prepare(
            op=_fresh(op.pk),
            node=self.node,
            bundler=self.bundler,
            sponsor_key=settings.SPONSOR_PRIVATE_KEY,
        )
        self.sign(person, op)
        return op.pk

    def draft(self, person: Person) -> UserOperation:
        """Leave a payment to a new address for a worker to prepare."""
        op = user_operations.draft(
            safe=person.safe,
            user=person.safe.created_by,
            recipient=Address(secrets.token_bytes(20)),
            value_wei=PAYMENT_WEI,
            idempotency_key=uuid.uuid4(),
        )
        self.payments[op.pk] = Address(op.recipient)
        return op

    def sign(self, person: Person, op: UserOperation) -> None:
        """Let the person's passkey authorise a prepared operation."""
        op = _fresh(op.pk)
        answer = assertion_text(person.passkey, bytes(op.safe_operation_hash or b""))
        authorization.sign(op=op, user=person.safe.created_by, response=answer)
        self.tally.sent += 1

    def submit(self, keys: Iterable[int], times: int = 1) -> None:
        """Nudge a worker to send these operations."""
        for pk in keys:
            self.nudge(tasks.submit_user_operation, pk, times=times)

    # --- The reckoning ---------------------------------------------------------------

    def wait_until(
        self, is_so: Callable[[], bool], what: str, seconds: float = SETTLE_SECONDS
    ) -> float:
        """Return the seconds until it is so; fail with all logs when it never is."""
        started = time.monotonic()
        while not is_so():
            passed = time.monotonic() - started
            assert passed < seconds, f"not within {seconds} s: {what}\n{self.report()}"
            time.sleep(LOOK_SECONDS)
        return time.monotonic() - started

    def wait_for_blocks(self, count: int) -> None:
        """Return once the chain is this much longer."""
        wanted = self.node.head().number + count
        self.wait_until(lambda: self.node.head().number >= wanted, "blocks come")

    def wait_until_on_chain(self, keys: Sequence[int]) -> None:
        """Return once the chain has as many events more as these operations."""
        wanted = self.seen + len(keys)
        self.wait_until(lambda: self.events() == wanted, "all are on chain")

    def wait_until_followed(self) -> None:
        """Return once the rows know the block that is the newest now."""
        head = self.node.head().number
        self.wait_until(lambda: self._is_followed(head), "the head is known")

    def let_time_pass(self) -> None:
        """Let every attempt be a minute older, so that the next one is due."""
        tried = UserOperation.objects.filter(attempted_at__isnull=False)
        tried.filter(status__in=OPEN).update(
            attempted_at=F("attempted_at") - A_MINUTE,
            submitted_at=F("submitted_at") - A_MINUTE,
        )

    def settle(self) -> None:
        """Wait until everything has ended, then compare rows and chain.

        Every operation is in a terminal state within the minute; each has exactly one
        UserOperationEvent, and its recipient the money once; no transaction of the
        relayer waits, no nonce of it is skipped, and all accounts are live.
        """
        head = self.node.head().number
        seconds = self.wait_until(
            lambda: self._is_followed(head) and self._has_ended(),
            "everything has ended",
        )
        self.tally.steps += 1
        self.tally.settled.append(seconds)
        operations = UserOperation.objects.all()
        on_chain = self._on_chain()
        lost = list(operations.exclude(status=Status.INCLUDED))
        paid = self.node.balances(list(self.payments.values()))
        doubled = [wei for wei in paid if wei > PAYMENT_WEI]
        self.tally.lost += len(lost)
        self.tally.doubled += len(doubled)
        self.tally.seen += len(on_chain) - self.seen
        self.seen = len(on_chain)
        assert not lost, f"lost: {lost}\n{self.report()}"
        assert not doubled, f"doubled: {doubled}\n{self.report()}"
        assert paid == [PAYMENT_WEI] * len(self.payments)
        in_rows = sorted(reckoning.facts_of(op) for op in operations)
        assert in_rows == sorted(on_chain), self.report()
        reckoning.compare(self.chain, self.node)

    def _is_followed(self, head: int) -> bool:
        """Whether the rows know a block at this height or above that is on the chain."""
        known = self.chain.blocks.order_by("-number").first()
        if known is None or known.number < head:
            return False
        return known.hash == self.node.block_hash(known.number)

    def _has_ended(self) -> bool:
        waiting = UserOperation.objects.exclude(status__in=ENDED)
        in_flight = RelayerTransaction.objects.exclude(
            status__in=(
                RelayerTransaction.Status.MINED,
                RelayerTransaction.Status.FAILED,
            )
        )
        return not (waiting.exists() or in_flight.exists() or _not_live(self.people))

    def events(self) -> int:
        """Return how many UserOperationEvents of our people the chain has."""
        return len(self._on_chain())

    def _on_chain(self) -> list[Facts]:
        accounts = {bytes(person.safe.address) for person in self.people}
        return reckoning.facts_on_chain(
            self.ground.rpc, first_block=self.first_block, accounts=accounts
        )

    def report(self) -> str:
        """Return rows and logs, for the words of a failure."""
        lines = [
            f"{op}: {op.status} {op.failure_code} {op.failure_detail} {op.last_problem}"
            for op in UserOperation.objects.all()
        ]
        lines += [
            f"{safe.pk}: {safe.status} {safe.failure_code}"
            for safe in Safe.objects.all()
        ]
        lines += [
            f"{row}: {row.status} nonce {row.nonce} {row.failure_code}"
            for row in RelayerTransaction.objects.all()
        ]
        return "\n".join([*lines, self.logs()])


def _fresh(pk: int) -> UserOperation:
    return UserOperation.objects.select_related("safe__chain", "predecessor").get(pk=pk)


def _not_live(people: Sequence[Person]) -> bool:
    keys = [person.safe.pk for person in people]
    rows = Safe.objects.filter(pk__in=keys)
    return rows.exclude(status=Safe.Status.DEPLOYED).exists()
