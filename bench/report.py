"""Figures as Markdown, and the machine they come from in words."""

from __future__ import annotations

import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

Row = Sequence[str]


def show(text: str) -> None:
    """Print a part of the report."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def progress(text: str) -> None:
    """Say on standard error what is going on."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def table(headings: Row, rows: Sequence[Row]) -> str:
    """Return a Markdown table; every column after the first is of figures."""
    rule = ["---", *("--:" for _ in headings[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, rule, *rows))


def median_and_p95(values: Sequence[float], unit: str) -> tuple[str, str]:
    """Return both, rounded to whole units; p95 by nearest rank."""
    ordered = sorted(values)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return f"{statistics.median(ordered):,.0f} {unit}", f"{p95:,.0f} {unit}"


def gas(values: Sequence[int]) -> str:
    """Return the median of gas figures, with thousands separated."""
    return f"{statistics.median(values):,.0f}"


def verdict(value: float, goal: float) -> str:
    """Return whether a goal is met."""
    return "met" if value <= goal else "**missed**"


def machine() -> str:
    """Return the machine in words, without its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    node = subprocess.run(["node", "--version"], capture_output=True, text=True)  # noqa: S607
    return (
        f"{os.cpu_count()} cores{_processor()}, {memory:.0f} GB of memory, "
        f"{platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, Node {node.stdout.strip().lstrip('v')}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model n")]
    return f" ({names[0]})" if names else ""
