"""The processes of a running Latchkey and the memory they hold, as Linux tells it."""

from __future__ import annotations

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
    parents = _parents()
    megabytes: dict[str, float] = {}
    for pid in parents:
        name = _name_of(pid)
        if name is not None and _is_below(pid, root_pid, parents):
            megabytes[name] = megabytes.get(name, 0) + _resident_megabytes(pid)
    return [(name, megabytes[name]) for name in NAMES.values() if name in megabytes]


def _parents() -> dict[int, int]:
    parents = {}
    for entry in PROC.glob("[0-9]*"):
        try:
            # The name before the last ")" may hold anything, spaces included.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        parents[int(entry.name)] = int(fields[1])
    return parents


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
