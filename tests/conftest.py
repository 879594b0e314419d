"""What all tests share: no network but loopback, and one real chain, bundler, stack.

The running site is started once for all processes of a run, a bare chain once in each
that needs one; all on free ports, with folders of their own, and stopped at the end.
Whatever asks for one is marked, so that `-m "not chain and not browser"` leaves the
fast tests.
"""

from __future__ import annotations

import gc
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db.models.signals import post_migrate
from django.test import override_settings
from playwright.sync_api import expect

from tests import databases, sharing
from wallet_site import chain_state, programs
from wallet_site.celery import app as celery_app
from wallet_site.processes import Program, Supervisor

# Playwright's synchronous API runs an event loop in the thread of the tests, which
# makes Django refuse its ORM there. Nothing else runs in that loop meanwhile.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = (
    "/usr/bin/chromium-headless-shell"  # Debian's package; `make test` installs it
)
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHAIN_FIXTURES = {"node_url", "bundler_url", "stack", "fragile", "up"}
BROWSER_FIXTURES = {"page", "context", "browser", "new_context"}
REAL = ("chain", "browser")  # the marks of what is no fast test
# They begin first, in this order, or everything waits for them at the end.
LONGEST = (
    "test_crawl.py",
    "test_recovery_kills.py",
    "test_recovery.py",
    "test_outages.py",
    "test_up.py",
    "test_recovery.py",
    "test_front_door.py",
    "test_operators.py",
    "test_add_device.py",
    "test_shared_accounts.py",
    "test_recovery_alarm.py",
    "test_guardians.py",
    "test_bundler_answers.py",
    "test_worker_kills.py",
    "test_queue.py",
    "test_passkey_forms.py",
    "test_signing_page.py",
    "test_owner_changes.py",
    "test_wallet_owner.py",
    "test_changes_on_chain.py",
    "test_sessions.py",
    "test_node_answers.py",
    "test_lost_and_doubled.py",
    "test_repeats.py",
    "test_walk.py",
    "test_follower_kills.py",
    "test_polling.py",
    "test_keyboard.py",
)
STACK_START_SECONDS = 120
STACK_STOP_SECONDS = 60
EXPECT_MILLISECONDS = 60_000  # a busy machine is no failure
PID, LOG = "STACK_PID", "STACK_LOG"  # beside its environment, for who joins
CREATE_PERMISSIONS = "django.contrib.auth.management.create_permissions"
UNLIMITED = 1_000_000  # a minute: more than any test does

expect.set_options(timeout=EXPECT_MILLISECONDS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the real things it asks for; put the longest files first.

    Fast tests come last: they fill what is left of the time on every worker.
    """
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & CHAIN_FIXTURES:
            item.add_marker("chain")
        if names & BROWSER_FIXTURES:
            item.add_marker("browser")
    real = {item.path for item in items if any(map(item.get_closest_marker, REAL))}
    items.sort(key=lambda item: _turn(item.path, is_real=item.path in real))


def _turn(path: Path, *, is_real: bool) -> int:
    """Return when a file's tests begin, among those of other files."""
    if path.name in LONGEST:
        return LONGEST.index(path.name)
    return len(LONGEST) + (0 if is_real else 1)


def pytest_collection_finish() -> None:
    """Let no search for garbage look at what stays anyway."""
    gc.collect()
    gc.freeze()


# --- What no test may do -------------------------------------------------------------


class NetworkBlocked(Exception):
    """A test reached for something that is not on this machine."""


def _require_loopback(host: object) -> None:
    if host in (None, "", "localhost"):
        return
    try:
        if ipaddress.ip_address(str(host)).is_loopback:
            return
    except ValueError:
        pass
    raise NetworkBlocked(f"tests may not reach {host}")


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """Refuse every connection and every name look-up beyond this machine."""
    patch = pytest.MonkeyPatch()

    def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX:
                _require_loopback(address[0])
            return original(self, address)

        return connect

    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        _require_loopback(host)
        return look_up(host, *args, **options)

    patch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    patch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def no_permissions() -> None:
    """Nobody reads Django's permissions (User.has_perm): spare each flush their rows."""
    assert post_migrate.disconnect(dispatch_uid=CREATE_PERMISSIONS)


@pytest.fixture(scope="session", autouse=True)
def own_broker() -> None:
    """Keep nudges of tests out of the broker folder that a running site reads."""
    if celery_app.conf.broker_url == "filesystem://":
        os.environ.pop("CELERY_BROKER_URL", None)  # Celery prefers it to its settings
        celery_app.conf.update(broker_url="memory://", broker_transport_options={})


@pytest.fixture(scope="session", autouse=True)
def settings_of_tests(static_root: Path) -> Iterator[None]:
    """Set once what holds for every test; one that wants another value sets its own.

    Pages name static files as they are: nothing has been collected. And hundreds of
    ceremonies come from one address here; the limits have own tests.
    """
    storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
    with override_settings(
        STATIC_ROOT=static_root,
        STORAGES={**django_settings.STORAGES, "staticfiles": {"BACKEND": storage}},
        CEREMONY_BEGINS_PER_MINUTE=UNLIMITED,
        CEREMONY_FAILURES_PER_MINUTE=UNLIMITED,
    ):
        yield


@pytest.fixture(scope="session")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder: WhiteNoise warns when there is none."""
    return tmp_path_factory.mktemp("static")


@pytest.fixture(scope="session")
def migrated(run_folder: Path) -> Path:
    """An SQLite database with every table: migrating takes longer than most tests."""
    return databases.migrated(run_folder / "migrated")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> None:
    """SQLite in a file: in memory, threads would share one connection's lock."""
    database = django_settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        path = tmp_path_factory.mktemp("database") / "test.sqlite3"
        shutil.copyfile(request.getfixturevalue("migrated"), path)
        database["TEST"]["NAME"] = str(path)


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """The copy is kept, with whatever migrations it may lack added."""
    sqlite = django_settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    return django_db_keepdb or sqlite


def _report_nothing(_line: str) -> None:
    pass


@pytest.fixture(scope="session")
def node_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real anvil with every contract, on a free port."""
    state = tmp_path_factory.mktemp("chain") / "state.json"
    base = chain_state.base_state(report=_report_nothing)
    port = chain_state.free_port()
    url = f"http://127.0.0.1:{port}"
    program = Program(
        name="chain",
        argv=chain_state.anvil_argv(port=port, state=state, load=base),
        answers=partial(chain_state.answers, chain_state.connect(url=url)),
    )
    with _running(program):
        yield url


@pytest.fixture(scope="session")
def bundler_url(node_url: str) -> Iterator[str]:
    """A real alto on that chain."""
    port = chain_state.free_port()
    url = f"http://127.0.0.1:{port}"
    program = Program(
        name="bundler",
        argv=programs.bundler_argv(port=port, node_url=node_url),
        answers=partial(programs.bundler_answers, url),
        stop_seconds=1.0,
    )
    with _running(program):
        yield url


class _running:
    """One program, ready inside the block and gone after it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.supervisor = Supervisor(folder=Path(django_settings.BASE_DIR))

    def __enter__(self) -> None:
        try:
            process = self.supervisor.start(self.program)
            self.supervisor.wait_until_ready(process)
        except BaseException:
            self.supervisor.stop([])
            raise

    def __exit__(self, *_error: object) -> None:
        self.supervisor.stop([[self.program.name]])


# --- The whole stack -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A running `manage.py up` with ports, folder and database of its own."""

    pid: int
    process: subprocess.Popen[bytes] | None  # None: another process started it
    origin: str
    node_url: str
    bundler_url: str
    var_dir: Path
    log_path: Path
    environment: dict[str, str]

    def logs(self) -> str:
        """Return all that it has printed so far."""
        return self.log_path.read_text(errors="replace")

    def stop(self) -> int:
        """Stop it as Ctrl-C does; return its exit code."""
        if self.process is None:
            raise RuntimeError("only who started it stops it")
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STACK_STOP_SECONDS)


def stack_environment(var_dir: Path) -> dict[str, str]:
    """Return an environment that no variable or .env of this machine reaches into."""
    node, bundler, web = (chain_state.free_port() for _ in range(3))
    return {
        **os.environ,
        "SITE_MODE": "local",
        "VAR_DIR": str(var_dir),
        "DATABASE_URL": f"sqlite:///{var_dir / databases.NAME}",
        "CELERY_BROKER_URL": "filesystem://",
        "CHAIN_ID": "31337",
        "NODE_PORT": str(node),
        "NODE_URL": f"http://127.0.0.1:{node}",
        "BUNDLER_PORT": str(bundler),
        "BUNDLER_URL": f"http://127.0.0.1:{bundler}",
        "WEB_PORT": str(web),
        "SITE_ORIGIN": f"http://localhost:{web}",
        "WEBAUTHN_RP_ID": "localhost",
        "ALLOWED_HOSTS": "localhost",
        "CEREMONY_BEGINS_PER_MINUTE": str(UNLIMITED),
        "CEREMONY_FAILURES_PER_MINUTE": str(UNLIMITED),
        "PYTHONUNBUFFERED": "1",
    }


def start_stack(
    var_dir: Path,
    *arguments: str,
    log: str = "up.log",
    database: Path | None = None,
    **changes: str,
) -> Stack:
    """Start `manage.py up` without waiting for it; ``changes`` are of its settings.

    It begins with a copy of the database, or with none and migrates from nothing.
    """
    if database is not None:
        shutil.copyfile(database, var_dir / databases.NAME)
    environment = stack_environment(var_dir) | changes
    log_path = var_dir / log
    with log_path.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", *arguments],
            cwd=django_settings.BASE_DIR,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return _stack(environment, log_path, pid=process.pid, process=process)


def _stack(
    environment: dict[str, str],
    log_path: Path,
    *,
    pid: int,
    process: subprocess.Popen[bytes] | None = None,
) -> Stack:
    return Stack(
        pid=pid,
        process=process,
        origin=environment["SITE_ORIGIN"],
        node_url=environment["NODE_URL"],
        bundler_url=environment["BUNDLER_URL"],
        var_dir=Path(environment["VAR_DIR"]),
        log_path=log_path,
        environment=environment,
    )


def wait_for_words(stack: Stack, words: str) -> None:
    """Return once the stack has printed the words; fail with its output otherwise."""
    deadline = time.monotonic() + STACK_START_SECONDS
    while words not in stack.logs():
        if stack.process.poll() is not None or time.monotonic() > deadline:
            stack.stop()
            pytest.fail(f"the stack never said {words!r}:\n{stack.logs()}")
        time.sleep(0.05)


@contextmanager
def _shared_stack(var_dir: Path) -> Iterator[sharing.Facts]:
    var_dir.mkdir()
    stack = start_stack(var_dir)
    try:
        wait_for_words(stack, "Latchkey answers at")
        yield stack.environment | {PID: str(stack.pid), LOG: str(stack.log_path)}
    finally:
        stack.stop()


@pytest.fixture(scope="session")
def stack(run_folder: Path) -> Iterator[Stack]:
    """The whole of Latchkey, as `make run` starts it: one for all processes."""
    start = partial(_shared_stack, run_folder / f"stack-{os.getpid()}")
    with sharing.shared(run_folder / "stack", start) as environment:
        facts = dict(environment)
        pid, log_path = int(facts.pop(PID)), Path(facts.pop(LOG))
        yield _stack(facts, log_path, pid=pid)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the whole run, whichever of its processes asks."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    """The system's Chromium, silent towards the network."""
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": CHROMIUM_ARGUMENTS,
    }
