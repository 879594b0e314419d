"""How databases, brokers and caches are used, by their URLs; read by settings alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url

FILES = "filesystem://"


def database(url: str) -> dict[str, Any]:
    """Return Django's settings of SQLite or PostgreSQL."""
    database: dict[str, Any] = {**dj_database_url.parse(url)}
    if database["ENGINE"].endswith("sqlite3"):
        # Django's own defaults lose work under load: writers must queue, not fail.
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,  # seconds a writer waits for its turn
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        database["CONN_MAX_AGE"] = 0
    else:
        database["CONN_MAX_AGE"] = 60  # seconds
        database["CONN_HEALTH_CHECKS"] = True
        database["OPTIONS"] = {
            # milliseconds; lock < statement < Celery's soft limit (60 s)
            "options": "-c lock_timeout=5000 -c statement_timeout=20000",
        }
    return database


def broker_options(url: str, *, folder: Path) -> dict[str, Any]:
    """Return Celery's transport options; files are kept in ``folder``, made here."""
    if url == FILES:
        for name in ("messages", "control"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,  # seconds
        }
    if url.startswith("redis"):
        # Longer than the longest task plus the longest countdown, or work runs twice.
        return {"visibility_timeout": 600}  # seconds
    return {}


def cache(broker_url: str) -> dict[str, Any]:
    """Return Django's settings of a cache in the broker's Redis, or in this process."""
    if broker_url.startswith(("redis://", "rediss://")):
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": broker_url,
            "KEY_PREFIX": "latchkey",
            "OPTIONS": {
                "socket_connect_timeout": 1,  # seconds
                "socket_timeout": 1,  # seconds
            },
        }
    return {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},  # counts
    }
