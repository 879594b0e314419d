"""Parts of a running stack that stop for a while."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import Stack


@contextmanager
def paused_worker(stack: Stack) -> Iterator[None]:
    """Nothing gets on with its work inside this block; everything goes on after it."""
    shown = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(stack.process.pid), "-ww"],
        capture_output=True,
        text=True,
        check=True,
    )
    (worker,) = [
        int(line.split()[0])
        for line in shown.stdout.splitlines()
        if " wallet_site worker " in line
    ]
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)
