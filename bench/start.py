"""``make run``: seconds until the site answers, and the memory of each process.

Warm is this folder, after ``make install``. ``--cold`` clones the repository, empties
every cache of the package managers, and starts there.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from django.conf import settings

from bench import environment, processes, report, stack

COLD_GOAL = 240  # seconds
WARM_GOAL = 15
COLD_SECONDS = 1200  # then it is given up
SETTLE_SECONDS = 5  # before memory is read


def main() -> None:
    """Print seconds and memory as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", action="store_true", help="clone and install anew")
    parser.add_argument("--runs", type=int, default=3, help="warm starts")
    arguments = parser.parse_args()
    stack.end_on_sigterm()
    folder, first = environment.ROOT, "First start, everything installed"
    if arguments.cold:
        folder, first = cloned(), "Cold: a fresh clone, nothing installed or cached"
    else:
        require_installed()
    rows = [row(first, [seconds(folder)], COLD_GOAL if arguments.cold else WARM_GOAL)]
    warm = [seconds(folder) for _ in range(arguments.runs)]
    rows.append(row(f"Warm, median of {arguments.runs}", warm, WARM_GOAL))
    report.show(report.table(("`make run` until it answers", "", "goal", ""), rows))
    report.show("")
    with running(folder) as (make, _seconds):
        time.sleep(SETTLE_SECONDS)
        memory = processes.memory_by_program(make.pid)
    total = sum(megabytes for _name, megabytes in memory)
    report.show(
        report.table(
            ("Memory after the start", "resident"),
            [(name, f"{size:,.0f} MB") for name, size in [*memory, ("total", total)]],
        )
    )


def row(name: str, values: list[float], goal: float) -> tuple[str, ...]:
    """Return one row of seconds."""
    value = statistics.median(values)
    report.progress(f"{name}: {', '.join(f'{item:.1f}' for item in values)} s")
    return name, f"{value:.1f} s", f"{goal} s", report.verdict(value, goal)


def cloned() -> Path:
    """Clone the repository and give the package managers caches of their own."""
    folder = Path(settings.VAR_DIR) / "clone"
    caches = Path(settings.VAR_DIR) / "caches"
    for name in ("npm_config_cache", "UV_CACHE_DIR", "PIP_CACHE_DIR"):
        os.environ[name] = str(caches / name)
    command = ["git", "clone", "--quiet", str(environment.ROOT), str(folder)]
    subprocess.run(command, check=True)  # noqa: S603 - our own command
    return folder


def require_installed() -> None:
    """Stop where ``make run`` would install something."""
    command = ["make", "--question", "install"]
    if subprocess.run(command, cwd=environment.ROOT).returncode:  # noqa: S603 - ours
        raise SystemExit("Something is not installed: run `make install` first.")


def seconds(folder: Path) -> float:
    """Run ``make run`` until it answers; return how long that took."""
    with running(folder) as (_make, taken):
        return taken


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Yield ``make run`` in a folder and the seconds until the site answered."""
    log = Path(settings.VAR_DIR) / "make-run.log"
    began = time.perf_counter()
    with log.open("wb") as output:
        make = subprocess.Popen(
            ["make", "run"],  # noqa: S607 - wherever make is
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for_site(make, log)
        yield make, time.perf_counter() - began
    finally:
        stack.stop_undisturbed(make, signal.SIGINT)  # as Ctrl-C does


def wait_for_site(make: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the front page comes."""

    def answers() -> bool:
        if make.poll() is not None:
            raise RuntimeError(f"`make run` ended:\n{log.read_text()[-2000:]}")
        try:
            return requests.get(settings.SITE_ORIGIN, timeout=5).ok
        except requests.RequestException:
            return False  # nobody listens yet, or the port does and the site loads

    stack.wait_for(answers, "the site", seconds=COLD_SECONDS, pause=0.05)


if __name__ == "__main__":
    main()
