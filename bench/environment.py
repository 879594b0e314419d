"""Settings of a bench: free ports, and a folder and database of its own.

Without further words that is SQLite and the filesystem broker. BENCH_DATABASE_URL names
a PostgreSQL server and BENCH_BROKER_URL an empty Redis database to use instead.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]
DATABASE_SERVER = "BENCH_DATABASE_URL"
BROKER = "BENCH_BROKER_URL"


def enter() -> None:
    """Put this process's settings into its environment."""
    folder = Path(tempfile.mkdtemp(prefix="latchkey-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    node, bundler, web = free_ports(3)
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "wallet_site.settings",
            "SITE_MODE": "local",
            "VAR_DIR": str(folder),
            "DATABASE_URL": _database_url(folder),
            "CELERY_BROKER_URL": os.environ.get(BROKER, "filesystem://"),
            "CHAIN_ID": "31337",
            "NODE_PORT": str(node),
            "NODE_URL": f"http://127.0.0.1:{node}",
            "BUNDLER_PORT": str(bundler),
            "BUNDLER_URL": f"http://127.0.0.1:{bundler}",
            "WEB_PORT": str(web),
            "SITE_ORIGIN": f"http://localhost:{web}",
            "WEBAUTHN_RP_ID": "localhost",
            "ALLOWED_HOSTS": "localhost",
            "SPONSOR_DAILY_OPERATIONS": "10000",
            "CEREMONY_BEGINS_PER_MINUTE": "1000000",  # all come from one address
            "PYTHONUNBUFFERED": "1",
        }
    )


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nothing listens on at this moment."""
    with contextlib.ExitStack() as open_probes:
        probes = [open_probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def stores() -> str:
    """Return the database and the broker in words."""
    if DATABASE_SERVER in os.environ or BROKER in os.environ:
        database = "PostgreSQL" if DATABASE_SERVER in os.environ else "SQLite"
        broker = "Redis" if BROKER in os.environ else "files"
        return f"{database} and {broker}"
    return "SQLite and files"


def _database_url(folder: Path) -> str:
    server = os.environ.get(DATABASE_SERVER)
    if server is None:
        return f"sqlite:///{folder / 'latchkey.sqlite3'}"
    return urlunsplit(urlsplit(server)._replace(path=f"/{_database_name()}"))


def _database_name() -> str:
    return f"latchkey_bench_{os.getpid()}"


@contextlib.contextmanager
def own_stores() -> Iterator[None]:
    """Create the PostgreSQL database and empty the Redis one again, where asked for."""
    with contextlib.ExitStack() as stores_in_use:
        if DATABASE_SERVER in os.environ:
            stores_in_use.enter_context(_own_database(os.environ[DATABASE_SERVER]))
        if BROKER in os.environ:
            stores_in_use.enter_context(_own_broker(os.environ[BROKER]))
        yield


@contextlib.contextmanager
def _own_database(server: str) -> Iterator[None]:
    name = sql.Identifier(_database_name())
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextlib.contextmanager
def _own_broker(url: str) -> Iterator[None]:
    with redis.Redis.from_url(url) as connection:
        if connection.dbsize():
            raise SystemExit(f"{BROKER} names a Redis database that is in use.")
        try:
            yield
        finally:
            connection.flushdb()
