"""The whole of Latchkey, started for a bench as ``make run`` does, and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.db import connections

from bench import environment

START_SECONDS = 120
STOP_SECONDS = 20
READY_WORDS = "Latchkey answers at"
POLL_SECONDS = 0.005


@contextlib.contextmanager
def running() -> Iterator[subprocess.Popen[bytes]]:
    """Yield the supervisor's process, with this process's settings and rows."""
    end_on_sigterm()
    log = Path(settings.VAR_DIR) / "up.log"
    with environment.own_stores(), log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=settings.BASE_DIR,
            env=dict(os.environ),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches it through us, once
        )
        try:
            _wait_until_ready(process, log)
            yield process
        except Exception:
            sys.stderr.write(log.read_text(errors="replace")[-4000:])
            raise
        finally:
            stop_undisturbed(process)


def end_on_sigterm() -> None:
    """Let SIGTERM end this process in order, so that nothing stays behind."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(1)

    signal.signal(signal.SIGTERM, end)


def stop_undisturbed(
    process: subprocess.Popen[bytes], number: int = signal.SIGTERM
) -> None:
    """Stop a supervisor, which stops all it started; no signal hurries us."""
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    connections.close_all()
    if process.poll() is None:
        os.killpg(process.pid, number)
    process.wait(STOP_SECONDS)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    end_on_sigterm()


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    def is_ready() -> bool:
        if process.poll() is not None:
            raise RuntimeError("`manage.py up` ended while it started")
        return READY_WORDS in log.read_text(errors="replace")

    wait_for(is_ready, "the stack", seconds=START_SECONDS, pause=0.05)


def wait_for(
    is_true: Callable[[], bool],
    what: str,
    *,
    seconds: float = 30,
    pause: float = POLL_SECONDS,
) -> None:
    """Return as soon as something is true.

    Raises:
        TimeoutError: it did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(pause)
