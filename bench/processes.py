"""The processes of a running Latchkey, their memory and time, as Linux tells it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")
# What a program's command line holds, and what the supervisor calls it.
NAMES = {
    "anvil": "chain (anvil)",
    "alto": "bundler (alto)",
    " worker ": "worker (Celery)",
    " beat ": "beat (Celery)",
    " follow": "follower",
    "gunicorn": "web (gunicorn, two processes)",
    "manage.py up": "supervisor",
}


def memory_by_program(root_pid: int) -> list[tuple[str, float]]:
    """Return each program below a process with its resident megabytes."""
    return _by_program(root_pid, _resident_megabytes)


def seconds_by_program(root_pid: int) -> dict[str, float]:
    """Return each program below a process with the seconds of a core it has used."""
    return dict(_by_program(root_pid, _processor_seconds))


def _by_program(
    root_pid: int, measure: Callable[[int], float]
) -> list[tuple[str, float]]:
    parents = _parents()
    sums: dict[str, float] = {}
    for pid in parents:
        name = _name_of(pid)
        if name is not None and _is_below(pid, root_pid, parents):
            sums[name] = sums.get(name, 0) + measure(pid)
    return [(name, sums[name]) for name in NAMES.values() if name in sums]


def _parents() -> dict[int, int]:
    pids = (int(entry.name) for entry in PROC.glob("[0-9]*"))
    stats = {pid: _stat(pid) for pid in pids}
    return {pid: int(fields[1]) for pid, fields in stats.items() if fields}


def _stat(pid: int) -> list[str]:
    """Return the fields of proc(5)'s stat from the third on; none if it has ended."""
    try:
        # The name before the last ")" may hold anything, spaces included.
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _processor_seconds(pid: int) -> float:
    fields = _stat(pid)
    ticks = int(fields[11]) + int(fields[12]) if fields else 0  # user and system
    return ticks / os.sysconf("SC_CLK_TCK")


def _is_below(pid: int, root_pid: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != root_pid:
        pid = parents[pid]
    return pid == root_pid


def _name_of(pid: int) -> str | None:
    try:
        command = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return None
    text = command.decode(errors="replace")
    return next((name for words, name in NAMES.items() if words in text), None)


def _resident_megabytes(pid: int) -> float:
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(lines[0].split()[1]) / 1024 if lines else 0
