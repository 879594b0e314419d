"""The chain, the bundler and the world of each scenario, and what a run prints."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.chaos.stores import FileBroker, RedisBroker, redis_broker
from tests.chaos.tally import Tally
from tests.chaos.world import Ground, World
from tests.conftest import _running
from wallet_site import chain_state, programs
from wallet_site.processes import Program
from wallet_site.stores import FILES

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "1"))  # of each step
REORGS = int(os.environ.get("CHAOS_REORGS", "3"))
HURRIED_ROUNDS = 3
# A short run hurries, a long one waits as long as the site does.
HURRY: dict[str, dict[str, Any]] = {"changes": {}, "constants": {}}
if ROUNDS <= HURRIED_ROUNDS:
    HURRY = {
        "changes": {"SWEEP_SECONDS": 1},
        "constants": {
            "onchain.services.follower:LEASE_SECONDS": 2,
            "onchain.tasks:NUDGE_SECONDS": 1,
        },
    }
IS_POSTGRESQL = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
collect_ignore = [] if IS_POSTGRESQL else ["test_postgresql.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the real chain, and runs on both kinds of stores."""
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker("chain")
            item.add_marker("services")


@contextmanager
def new_ground(folder: Path) -> Iterator[Ground]:
    """A chain with every contract and a bundler, on free ports."""
    node_port, bundler_port = chain_state.free_port(), chain_state.free_port()
    node_url = f"http://127.0.0.1:{node_port}"
    bundler_url = f"http://127.0.0.1:{bundler_port}"
    base = chain_state.base_state(report=lambda _line: None)
    chain = Program(
        name="chain",
        argv=chain_state.anvil_argv(
            port=node_port, state=folder / "state.json", load=base
        ),
        answers=partial(chain_state.answers, chain_state.connect(url=node_url)),
    )
    bundler = Program(
        name="bundler",
        argv=programs.bundler_argv(port=bundler_port, node_url=node_url),
        answers=partial(programs.bundler_answers, bundler_url),
        stop_seconds=1.0,
    )
    with _running(chain), _running(bundler):
        yield Ground(node_url=node_url, bundler_url=bundler_url)


@pytest.fixture(scope="session")
def shared_ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One for the scenarios that neither move time nor reorganise."""
    with new_ground(tmp_path_factory.mktemp("chaos")) as ground:
        yield ground


@pytest.fixture
def own_ground(tmp_path: Path) -> Iterator[Ground]:
    """A chain and a bundler that nobody else needs: moved time and reorgs spoil both."""
    with new_ground(tmp_path) as ground:
        yield ground


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """What this scenario counts; the reports carry it to the summary."""
    counted = Tally()
    yield counted
    request.node.user_properties.append(("chaos", asdict(counted)))


@pytest.fixture(scope="session")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisBroker]:
    """A Redis server that only these tests use."""
    with redis_broker(tmp_path_factory.mktemp("redis")) as broker:
        yield broker


@pytest.fixture
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> FileBroker | RedisBroker:
    """The kind of broker that the site is set to, empty."""
    if settings.CELERY_BROKER_URL == FILES:
        return FileBroker(tmp_path)
    own: RedisBroker = request.getfixturevalue("own_redis")
    own.forget_everything()
    return own


@pytest.fixture
def world_on(
    tmp_path: Path,
    broker: FileBroker | RedisBroker,
    tally: Tally,
    transactional_db: None,
) -> Callable[[Ground], World]:
    """Make a world with rows and programs of this scenario's own."""

    def make(ground: Ground) -> World:
        return World(
            ground=ground,
            folder=tmp_path,
            broker_url=broker.url,
            tally=tally,
            **HURRY,
        )

    return make


@pytest.fixture
def world(
    shared_ground: Ground, world_on: Callable[[Ground], World]
) -> Iterator[World]:
    """A world on the shared chain."""
    with world_on(shared_ground) as world:
        yield world


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what all scenarios together did."""
    total = Tally()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "teardown":
                for name, counted in report.user_properties:
                    if name == "chaos":
                        _add(total, counted)
    if not total.steps:
        return
    terminalreporter.section("chaos")
    terminalreporter.line(str(total))


def _add(total: Tally, counted: dict[str, Any]) -> None:
    for name, value in counted.items():
        setattr(total, name, getattr(total, name) + value)
