"""Brokers and a database server that a scenario may empty and restart: its own ones."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import redis

from wallet_site.chain_state import free_port

START_SECONDS = 20.0
LOOK_SECONDS = 0.02
POSTGRES_USER = "postgres"  # initdb refuses to run as root


class FileBroker:
    """The filesystem broker, in a folder of the scenario's own."""

    url = "filesystem://"

    def __init__(self, folder: Path) -> None:
        self.messages = folder / "broker" / "messages"

    def forget_everything(self) -> int:
        """Delete every message that waits; return how many there were."""
        lost = 0
        for path in self.messages.glob("*.msg"):
            with contextlib.suppress(FileNotFoundError):  # a worker took it
                path.unlink()
                lost += 1
        return lost


class RedisBroker:
    """A Redis server of the tests' own."""

    def __init__(self, port: int) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self.server = redis.Redis.from_url(self.url)

    def forget_everything(self) -> int:
        """FLUSHALL; return how many messages waited or were being worked on."""
        lost = int(self.server.llen("celery")) + int(self.server.hlen("unacked"))
        self.server.flushall()
        return lost


@contextlib.contextmanager
def redis_broker(folder: Path) -> Iterator[RedisBroker]:
    """A Redis server that keeps nothing on disk."""
    port = free_port()
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    child = subprocess.Popen(
        ["redis-server", "--port", str(port), "--dir", str(folder), *options],
        stdout=subprocess.DEVNULL,
    )
    broker = RedisBroker(port)
    try:
        _wait_for(broker.server.ping, redis.ConnectionError)
        yield broker
    finally:
        broker.server.close()
        child.send_signal(signal.SIGTERM)
        child.wait(START_SECONDS)


class PostgresServer:
    """A PostgreSQL cluster of the tests' own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def restart(self) -> None:
        """Let it fall and start again, as after a loss of power."""
        self._control("restart", "--mode", "immediate")

    def database(self, name: str) -> str:
        """Make an empty database; return its URL."""
        url = f"postgres://{POSTGRES_USER}@127.0.0.1:{self.port}"
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"{url}/{name}"

    def _control(self, *arguments: str) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1"
        options += f" -c unix_socket_directories={self.folder}"
        log = self.folder / "log"
        _run_as_postgres(
            ["pg_ctl", "--pgdata", str(self.folder / "data"), "--log", str(log)]
            + ["--wait", "--options", options, *arguments]
        )

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator[PostgresServer]:
        """A new cluster that is gone in the end."""
        folder = Path(tempfile.mkdtemp(prefix="chaos-postgres-"))
        try:
            if os.geteuid() == 0:
                shutil.chown(folder, POSTGRES_USER, POSTGRES_USER)
            data = str(folder / "data")
            _run_as_postgres(
                ["initdb", "--pgdata", data, "--username", POSTGRES_USER]
                + ["--auth", "trust", "--encoding", "UTF8", "--no-sync"]
            )
            server = cls(folder, free_port())
            server._control("start")
            try:
                yield server
            finally:
                server._control("stop", "--mode", "immediate")
        finally:
            shutil.rmtree(folder)


def _run_as_postgres(argv: Sequence[str]) -> None:
    """Run one of PostgreSQL's programs; root lends it the user of Debian's package."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{argv[0]}"))
    program = str(found[-1]) if found else argv[0]
    user = None
    if os.geteuid() == 0:
        user = pwd.getpwnam(POSTGRES_USER).pw_uid
    subprocess.run(
        [program, *argv[1:]],
        cwd="/",
        user=user,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=START_SECONDS * 3,
    )


def _wait_for(ask: Callable[[], object], error: type[Exception]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            ask()
        except error:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_SECONDS)
        else:
            return
