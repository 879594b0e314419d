"""Worker, beat and follower as real processes that start in a moment and can be killed.

A template process imports the site once; each program is a fork of it, which then does
what its command does. Nothing of the site knows of this: a fork that has to die replaces
one function of the site by another that calls it and kills its own process.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from wallet_site import stores
from wallet_site.celery import app

# anvil's clock loses a second with every reorg, and its blocks come only with bundles:
# after thirty of them its newest block would look like a frozen node's.
HEAD_STALE_SECONDS = 3600

# In this order; pytest's own module would be imported by every fork that lacks it.
TEMPLATE = ["pytest", "tests.chaos.template", __name__]
WORKER_THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a program works on, in the place of the environment it would read."""

    node_url: str
    bundler_url: str
    database: dict[str, Any]  # Django's settings of it
    broker_url: str
    folder: Path  # broker files, beat's notes, logs
    settings: dict[str, Any]  # that differ from the site's own
    constants: dict[str, Any]  # likewise, by module:NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of the program at which it dies: around one call of one function."""

    program: str
    function: str  # module:function or module:Class.method
    moment: str  # before or after the call

    @classmethod
    def before(cls, program: str, function: str) -> Step:
        """The function was about to be called."""
        return cls(program=program, function=function, moment="before")

    @classmethod
    def after(cls, program: str, function: str) -> Step:
        """The function had just returned."""
        return cls(program=program, function=function, moment="after")


def start(
    program: str, surroundings: Surroundings, log: Path, step: Step | None = None
) -> multiprocessing.Process:
    """Start a program; with a step it dies there."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(TEMPLATE)
    process = context.Process(
        target=_run, args=(program, surroundings, log, step), daemon=True
    )
    process.start()
    return process


def _run(
    program: str, surroundings: Surroundings, log: Path, step: Step | None
) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the tests' Ctrl-C kills it
    django.setup()
    _settle_in(surroundings)
    if step is not None:
        _arm(step)
    PROGRAMS[program](surroundings)


def _settle_in(surroundings: Surroundings) -> None:
    """Let the site's settings name this world; nothing has used them yet."""
    changes = surroundings.settings | {
        "NODE_URL": surroundings.node_url,
        "BUNDLER_URL": surroundings.bundler_url,
        "HEAD_STALE_SECONDS": HEAD_STALE_SECONDS,
    }
    for name, value in changes.items():
        setattr(settings, name, value)
    for place, value in surroundings.constants.items():
        owner, name = _found(place)
        setattr(owner, name, value)
    connections.settings["default"].clear()
    connections.settings["default"].update(surroundings.database)
    os.environ["CELERY_BROKER_URL"] = surroundings.broker_url
    app.conf.update(
        broker_url=surroundings.broker_url,
        broker_transport_options=broker_options(surroundings),
        beat_schedule_filename=str(surroundings.folder / "celerybeat-schedule"),
    )
    app.conf.beat_schedule["sweep"]["schedule"] = settings.SWEEP_SECONDS


def broker_options(surroundings: Surroundings) -> dict[str, Any]:
    """Return Celery's transport options for the world's broker."""
    folder = surroundings.folder / "broker"
    return stores.broker_options(surroundings.broker_url, folder=folder)


def _arm(step: Step) -> None:
    """Replace the step's function by one that dies before or after the real one.

    Raises:
        AttributeError: there is no such function any more.
    """
    owner, name = _found(step.function)
    original = getattr(owner, name)

    def deadly(*args: Any, **kwargs: Any) -> None:
        if step.moment == "after":
            original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, deadly)


def _found(place: str) -> tuple[Any, str]:
    """Return what has a name in a module, and the name.

    Raises:
        AttributeError: there is no such name any more.
    """
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    getattr(owner, name)
    return owner, name


def _worker(_surroundings: Surroundings) -> None:
    app.worker_main(
        [
            *("worker", "--pool", "threads", "--concurrency", str(WORKER_THREADS)),
            *("--loglevel", "INFO", "--without-mingle", "--without-gossip"),
            "--without-heartbeat",
        ]
    )


def _beat(surroundings: Surroundings) -> None:
    app.Beat(loglevel="WARNING", schedule=app.conf.beat_schedule_filename).run()


def _follower(_surroundings: Surroundings) -> None:
    call_command("follow")


PROGRAMS: dict[str, Callable[[Surroundings], None]] = {
    "worker": _worker,
    "beat": _beat,
    "follower": _follower,
}
