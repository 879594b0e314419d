"""Child processes: started in groups of their own, watched, and stopped in order.

A stop signal goes to the leader of each group only: Celery's and gunicorn's leaders
stop their own children, and hang when those are told as well. Whatever is left of a
group when its time is over is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PREFIX_WIDTH = 9
LAST_LINES = 15  # of a process that died, shown again
POLL_SECONDS = 0.05


class ProcessError(Exception):
    """The processes cannot run; the words say why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run, and how to tell that it works."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    # It is ready once this is true and it has said this; with neither, at once.
    answers: Callable[[], bool] | None = None
    ready_words: str = ""
    start_seconds: float = 30.0
    stop_seconds: float = 6.0
    # Whether a line of its output says something to the person who watches.
    is_news: Callable[[str], bool] = bool


class Process:
    """One running program and the last lines it said."""

    def __init__(self, program: Program, *, folder: Path, show: Callable[[str], None]):
        self.program = program
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._has_said_ready = threading.Event()
        self._show = show
        self._child = subprocess.Popen(  # noqa: S603 - our own command lines
            list(program.argv),
            cwd=folder,
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """The leader's exit code; None while it runs."""
        return self._child.poll()

    @property
    def is_ready(self) -> bool:
        """True once it does what its program calls ready."""
        program = self.program
        if program.ready_words and not self._has_said_ready.is_set():
            return False
        return program.answers is None or program.answers()

    def _read(self) -> None:
        assert self._child.stdout is not None  # noqa: S101 - it was asked for
        with self._child.stdout as lines:
            for line in lines:
                text = line.rstrip()
                self.last_lines.append(text)
                if self.program.ready_words in text:
                    self._has_said_ready.set()
                if self.program.is_news(text):
                    self._show(f"{self.program.name:<{PREFIX_WIDTH}} | {text}")

    def ask_to_stop(self) -> None:
        """Tell the leader, once, to finish."""
        if self.exit_code is None:
            self._child.send_signal(signal.SIGTERM)

    def wait(self, deadline: float) -> None:
        """Wait for the leader until the deadline, then end its whole group."""
        try:
            self._child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._show(f"{self.program.name:<{PREFIX_WIDTH}} | did not stop: killed")
        self.kill()

    def kill(self) -> None:
        """End every process of the group that is still there."""
        # An empty group is no error; macOS says PermissionError for it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._reader.join(1)

    def farewell(self) -> str:
        """Return how it ended, with the last lines it said."""
        lines = "\n".join(f"    {line}" for line in self.last_lines)
        return (
            f"{self.program.name} stopped by itself (exit code {self.exit_code}). "
            f"Its last lines:\n{lines or '    (it said nothing)'}"
        )


class Supervisor:
    """Runs programs together: one that dies ends all."""

    def __init__(self, *, folder: Path) -> None:
        self.folder = folder
        self.processes: list[Process] = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()

    def show(self, line: str) -> None:
        """Print one whole line, whichever thread it comes from."""
        with self._lock:
            try:
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
            except OSError:
                self.stopping.set()  # nobody reads any more

    def listen_to_signals(self) -> None:
        """The first Ctrl-C or SIGTERM stops in order, the second at once."""

        def stop(_signal: int, _frame: object) -> None:
            if self.stopping.is_set():
                for process in self.processes:
                    process.kill()
            self.stopping.set()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)

    def start(self, program: Program) -> Process:
        """Start one program without waiting for it.

        Raises:
            ProcessError: there is no such program.
        """
        try:
            process = Process(program, folder=self.folder, show=self.show)
        except FileNotFoundError as error:
            raise ProcessError(
                f"{program.name}: {error.filename} is missing. Run `make install`."
            ) from None
        self.processes.append(process)
        return process

    def wait_until_ready(self, process: Process) -> None:
        """Return once the program answers, or once everything has been told to stop.

        Raises:
            ProcessError: it, or another program, ended; or it took too long.
        """
        program = process.program
        deadline = time.monotonic() + program.start_seconds
        while not self.stopping.is_set():
            self.require_all_alive()
            if process.is_ready:
                return
            if time.monotonic() > deadline:
                lines = "\n".join(f"    {line}" for line in process.last_lines)
                raise ProcessError(
                    f"{program.name} did not answer within "
                    f"{program.start_seconds:.0f} seconds. Its last lines:\n{lines}"
                )
            self.stopping.wait(POLL_SECONDS)

    def require_all_alive(self) -> None:
        """Raise ``ProcessError`` with the last lines of a program that ended."""
        for process in self.processes:
            if process.exit_code is not None:
                process.kill()  # also lets the reader finish the last lines
                raise ProcessError(process.farewell())

    def watch(self) -> None:
        """Return when told to stop; raise ``ProcessError`` when a program ends."""
        while not self.stopping.wait(POLL_SECONDS):
            self.require_all_alive()

    def stop(self, stages: Sequence[Sequence[str]]) -> None:
        """Stop the named programs stage by stage, each stage at the same time."""
        for names in stages:
            stage = [item for item in self.processes if item.program.name in names]
            now = time.monotonic()
            for process in stage:
                process.ask_to_stop()
            for process in stage:
                process.wait(now + process.program.stop_seconds)
        for process in self.processes:
            process.kill()
        self.processes.clear()
