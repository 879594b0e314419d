"""One real thing for all processes of a test run.

The first process that needs it starts it and stops it again, after all that joined have
left. The processes meet in a folder of the run: a file with what is to be known about
the thing, and one for each process that uses it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

Facts = dict[str, str]
PAUSE = 0.2  # seconds between two looks at who is left


@contextmanager
def shared(
    folder: Path, start: Callable[[], AbstractContextManager[Facts]]
) -> Iterator[Facts]:
    """Yield the facts of the thing that ``start`` runs, whoever ran it."""
    folder.mkdir(exist_ok=True)
    facts = folder / "facts.json"
    own = folder / f"{os.getpid()}.user"
    with ExitStack() as running:
        with locked(folder):
            if not facts.exists():
                facts.write_text(json.dumps(running.enter_context(start())))
                running.callback(_wait_for_the_others, folder, own, facts)
            own.touch()
        running.callback(own.unlink)
        yield json.loads(facts.read_text())


def _wait_for_the_others(folder: Path, own: Path, facts: Path) -> None:
    """Return once nobody else uses it; whoever comes later starts another."""
    while True:
        with locked(folder):
            others = [path for path in folder.glob("*.user") if path != own]
            if not any(_is_alive(path) for path in others):
                facts.unlink()
                return
        time.sleep(PAUSE)


def _is_alive(user: Path) -> bool:
    """Whether the process still runs: one that crashed leaves its file."""
    return Path(f"/proc/{user.stem}").exists()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time into the block."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
