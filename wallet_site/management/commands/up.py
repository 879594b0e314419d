"""``manage.py up``: the whole of Latchkey on this machine, in one command."""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import socket
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from onchain.clients.errors import ClientError, TransientClientError
from onchain.errors import LocalChainError
from onchain.models import Chain
from onchain.services import local_chain
from wallet_site import chain_state, files, programs
from wallet_site.checks import require_safe_start
from wallet_site.processes import Process, ProcessError, Supervisor

PARTS = (
    "chain",
    "contracts",
    "bundler",
    "migrate",
    "static",
    "worker",
    "beat",
    "follower",
    "web",
)
# Who writes rows first, then whom they call, then the chain, which saves its state.
STOP_STAGES = (("web", "follower", "beat", "worker"), ("bundler",), ("chain",))


class Command(BaseCommand):
    """Start every part in order, watch them, stop them together."""

    help = "Runs the local chain, bundler, worker, beat, follower and web."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--only a,b,c runs some of the parts, in the same order."""
        parser.add_argument(
            "--only",
            default=",".join(PARTS),
            help=f"parts to run, separated by commas: {', '.join(PARTS)}",
        )

    def handle(self, *, only: str, **_options: Any) -> None:
        """Run until a part dies (exit code 1) or a signal comes (0)."""
        if not settings.LOCAL:
            raise CommandError(
                "This runs a local Latchkey. In production run each process under "
                "your own supervisor: see the README, going to production."
            )
        parts = _parts(only)
        _require_safe_start()
        supervisor = Supervisor(folder=settings.BASE_DIR)
        try:
            with _only_one():
                _require_free_ports(parts)
                supervisor.listen_to_signals()
                try:
                    _Start(supervisor, parts).run()
                    supervisor.watch()
                finally:
                    supervisor.show("Stopping.")
                    supervisor.stop(STOP_STAGES)
        except (ProcessError, LocalChainError) as error:
            raise CommandError(str(error)) from error
        except (ClientError, TransientClientError) as error:
            raise CommandError(local_chain.describe(error)) from error


class _Start:
    """One start: the parts in their order, the bundler while the database is made."""

    def __init__(self, supervisor: Supervisor, parts: set[str]) -> None:
        self.supervisor = supervisor
        self.parts = parts
        self.started = time.monotonic()

    def run(self) -> None:
        """Return when everything answers, or when told to stop."""
        _write_secret_key()
        if "chain" in self.parts:
            self._chain()
        if "contracts" in self.parts and self._goes_on():
            self._contracts()
        bundler = None
        if "bundler" in self.parts and self._goes_on():
            bundler = self.supervisor.start(programs.bundler())
        self._database()
        if bundler is not None:
            self._wait(bundler)
        self._site()

    def _chain(self) -> None:
        saved = chain_state.saved_state(report=self._say)
        try:
            self._wait(self.supervisor.start(programs.chain(load=saved)))
        except ProcessError as error:
            raise ProcessError(
                f"{error}\nIf the saved state at {saved} is damaged, start over with "
                "`make reset`."
            ) from None

    def _contracts(self) -> None:
        chain = chain_state.connect(url=settings.NODE_URL)
        sponsor = chain_state.sponsor()
        local_chain.deploy(chain=chain, sponsor=sponsor, report=self._say)

    def _database(self) -> None:
        if "migrate" in self.parts and self._goes_on():
            call_command("migrate", verbosity=0, interactive=False)
            self._compare_with_chain()
            connections.close_all()
        if "static" in self.parts and self._goes_on():
            call_command("collectstatic", verbosity=0, interactive=False)

    def _compare_with_chain(self) -> None:
        """After a hard kill the rows may know blocks that the chain has lost."""
        row = Chain.objects.filter(chain_id=settings.CHAIN_ID).first()
        if "chain" not in self.parts or row is None or row.head_number is None:
            return
        head = chain_state.connect(url=settings.NODE_URL).node.head().number
        if head < row.head_number:
            self._say(
                f"The chain is at block {head}, but the database knows block "
                f"{row.head_number}: the chain was killed before it could save. What "
                "happened since is gone. If an account stays missing, start over with "
                "`make reset`."
            )

    def _site(self) -> None:
        waiting = []
        for name, program in programs.AFTER_THE_DATABASE.items():
            if name in self.parts and self._goes_on():
                waiting.append(self.supervisor.start(program()))
        for process in waiting:
            self._wait(process)
        if not self._goes_on():
            return
        seconds = f"started in {time.monotonic() - self.started:.1f} s"
        if "web" in self.parts:
            self._say(f"Latchkey answers at {settings.SITE_ORIGIN} ({seconds})")
        else:
            names = [name for name in PARTS if name in self.parts]
            self._say(f"Running: {', '.join(names)} ({seconds})")

    def _wait(self, process: Process) -> None:
        self.supervisor.wait_until_ready(process)

    def _goes_on(self) -> bool:
        return not self.supervisor.stopping.is_set()

    def _say(self, line: str) -> None:
        self.supervisor.show(line)


def _require_safe_start() -> None:
    try:
        require_safe_start()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None


def _parts(only: str) -> set[str]:
    """Return the parts asked for, without those that run elsewhere."""
    parts = {name.strip() for name in only.split(",") if name.strip()}
    unknown = sorted(parts - set(PARTS))
    if unknown:
        raise CommandError(
            f"There is no part {', '.join(unknown)}. The parts: {', '.join(PARTS)}."
        )
    if not settings.LOCAL_CHAIN:
        parts -= {"chain", "contracts"}
    elif urlsplit(settings.NODE_URL).port != settings.NODE_PORT:
        parts -= {"chain"}
    if not _is_ours(settings.BUNDLER_URL, settings.BUNDLER_PORT):
        parts -= {"bundler"}
    return parts


def _is_ours(url: str, port: int) -> bool:
    address = urlsplit(url)
    return address.hostname in local_chain.LOOPBACK_HOSTS and address.port == port


def _require_free_ports(parts: set[str]) -> None:
    """Name a taken port, and its setting, before anything is started."""
    ports = {
        "chain": ("NODE_PORT", settings.NODE_PORT),
        "bundler": ("BUNDLER_PORT", settings.BUNDLER_PORT),
        "web": ("WEB_PORT", settings.WEB_PORT),
    }
    for part, (setting, port) in ports.items():
        if part not in parts:
            continue
        with socket.socket() as probe:
            # A port that a stopped process used a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CommandError(
                    f"Port {port} ({setting}, for the {part}) cannot be used: "
                    f"{error.strerror}. Stop what uses it, or choose another: "
                    f"{setting}={port + 1} make run"
                ) from None


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Hold VAR_DIR's lock, so that two runs never share a chain state."""
    path = Path(settings.VAR_DIR) / "up.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(
                f"Latchkey already runs with {settings.VAR_DIR}. Stop it first, or "
                "give this one another VAR_DIR."
            ) from None
        yield


def _write_secret_key() -> None:
    """Make the site's own random key, once; only its owner may read it."""
    files.create(Path(settings.SECRET_KEY_PATH), secrets.token_hex(32).encode())
