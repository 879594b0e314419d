"""Parts of a running stack that stop for a while."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Stack
from wallet_site.processes import Program, Supervisor

DEADLINE = 60.0  # seconds; a busy machine is no failure


@contextmanager
def paused_worker(stack: Stack) -> Iterator[None]:
    """Nothing gets on with its work inside this block; everything goes on after it."""
    shown = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(stack.pid), "-ww"],
        capture_output=True,
        text=True,
        check=True,
    )
    (worker,) = [
        int(line.split()[0])
        for line in shown.stdout.splitlines()
        if " wallet_site worker " in line
    ]
    try:
        stop_between_writes(worker, stack.var_dir / "latchkey.sqlite3")
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def stop_between_writes(pid: int, database: Path) -> None:
    """Stop a process where it does not hold the one lock that everybody writes under."""
    deadline = time.monotonic() + DEADLINE
    os.kill(pid, signal.SIGSTOP)
    while not can_be_written(database):
        assert time.monotonic() < deadline, "the worker writes all the time"
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
        os.kill(pid, signal.SIGSTOP)


def can_be_written(database: Path) -> bool:
    """Whether nobody holds SQLite's lock for writing for longer than two seconds."""
    connection = sqlite3.connect(database, timeout=2, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


class Part:
    """A program outside the stack's own supervisor, so that its end ends nothing."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program = program
        self.supervisor = Supervisor(folder=folder)

    def start(self) -> None:
        """Return once it answers."""
        self.supervisor.wait_until_ready(self.supervisor.start(self.program))

    def stop(self) -> None:
        """End it as Ctrl-C does, so that it can save what it knows."""
        self.supervisor.stop([[self.program.name]])

    def kill(self) -> None:
        """End it as a power cut does."""
        self.supervisor.stop([])


def silent_components(origin: str) -> set[str]:
    """Return what /health/ complains of: its name in the check, or ``contracts``."""
    connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=10)
    try:
        connection.request("GET", "/health/?format=json")
        response = connection.getresponse()
        checks = json.load(response)
    finally:
        connection.close()
    silent = {name for name, said in checks.items() if said != "OK"}
    assert (response.status == 200) == (silent == set())
    return {name.split("'")[1] if "'" in name else "contracts" for name in silent}


def eventually(condition: Callable[[], bool], words: str) -> None:
    """Return once the condition holds; fail with the words when it never does."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"never: {words}")
        time.sleep(0.1)
