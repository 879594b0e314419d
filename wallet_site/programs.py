"""The programs of a local Latchkey: their command lines, and when each is ready."""

from __future__ import annotations

import contextlib
import http.client
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from onchain.clients.errors import TransientClientError
from onchain.clients.json_rpc import JsonRpc, RpcError
from onchain.models import Chain
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.types import checksum_address
from wallet_site import chain_state
from wallet_site.processes import Program

# Anvil's first two accounts, known to everybody: the bundler's and nobody else's.
BUNDLER_EXECUTOR_KEY = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
)
BUNDLER_UTILITY_KEY = (
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
)
WORKER_THREADS = 8
WEB_THREADS = 8
PROBE_SECONDS = 2.0

# What is said of each task and request that goes well, and of a folder's host name.
_ROUTINE = re.compile(
    r"Task \S+ (received|succeeded)|task_(enqueued|received|started|succeeded)"
    r"|No hostname was supplied|request_started|worker: Warm shutdown"
)
# Celery warns of root; a container for trying things out often has nobody else.
_QUIET_ROOT = {"PYTHONWARNINGS": "ignore:You're running the worker"}


def is_not_routine(line: str) -> bool:
    """True for a line that is neither empty nor the usual noise of periodic work."""
    return bool(line.strip()) and not _ROUTINE.search(line)


def chain(*, load: Path) -> Program:
    """Anvil, going on from the saved state and saving it again when it stops."""
    argv = chain_state.anvil_argv(port=settings.NODE_PORT, state=load, load=load)
    node = chain_state.connect(url=settings.NODE_URL)
    return Program(
        name="chain",
        argv=argv,
        answers=partial(chain_state.answers, node),
        stop_seconds=2.0,
    )


def bundler_argv(*, port: int, node_url: str) -> list[str]:
    """Return alto's command line (protocol.md, section 2)."""
    devchain = chain_state.DEVCHAIN
    alto = chain_state.PACKAGES / "@pimlico/alto/esm/cli/alto.js"
    options = {
        "--entrypoints": checksum_address(ENTRY_POINT),
        "--executor-private-keys": BUNDLER_EXECUTOR_KEY,
        "--utility-private-key": BUNDLER_UTILITY_KEY,
        "--rpc-url": node_url,
        "--port": str(port),
        "--min-executor-balance": "0",
        "--safe-mode": "false",
        "--min-bundle-interval": "10",
        "--max-bundle-interval": "50",
        "--block-time": "100",
        "--block-number-cache-ttl": "0",
        "--log-level": "warn",
    }
    argv = ["node", "--require", str(devchain / "loopback.cjs"), str(alto), "run"]
    for name, value in options.items():
        argv += [name, value]
    return argv


def bundler() -> Program:
    """Alto, on the local chain."""
    return Program(
        name="bundler",
        argv=bundler_argv(port=settings.BUNDLER_PORT, node_url=settings.NODE_URL),
        answers=partial(bundler_answers, settings.BUNDLER_URL),
        stop_seconds=1.0,  # it holds nothing that the rows do not
    )


def bundler_answers(url: str) -> bool:
    """True when the bundler behind the URL names its chain."""
    try:
        return bool(JsonRpc(url=url, timeout=PROBE_SECONDS).call("eth_chainId"))
    except (RpcError, TransientClientError):
        return False


def worker() -> Program:
    """Celery's worker, in threads: their clients' timeouts bound every task."""
    return Program(
        name="worker",
        argv=[
            *_celery("worker"),
            *("--pool", "threads", "--concurrency", str(WORKER_THREADS)),
            *("--loglevel", "INFO", "--without-mingle", "--without-gossip"),
        ],
        environment=_python() | _QUIET_ROOT,
        ready_words=" ready.",
        is_news=is_not_routine,
    )


def beat() -> Program:
    """Celery's clock, with its notes in VAR_DIR."""
    schedule = Path(settings.VAR_DIR) / "celerybeat-schedule"
    return Program(
        name="beat",
        argv=[
            *_celery("beat"),
            *("--loglevel", "WARNING", "--schedule", str(schedule), "--pidfile="),
        ],
        environment=_python(),
        is_news=is_not_routine,
    )


def follower() -> Program:
    """The one reader of the chain."""
    return Program(
        name="follower",
        argv=[sys.executable, str(settings.BASE_DIR / "manage.py"), "follow"],
        environment=_python(),
        answers=chain_is_known,
        is_news=is_not_routine,
    )


def chain_is_known() -> bool:
    """True once the follower has verified the chain: before, no wallet can be made."""
    with contextlib.closing(connection):
        return Chain.objects.filter(
            chain_id=settings.CHAIN_ID, signer_proxy_code__isnull=False
        ).exists()


def web() -> Program:
    """Gunicorn, on loopback only."""
    return Program(
        name="web",
        argv=[
            *(sys.executable, "-m", "gunicorn", "wallet_site.wsgi"),
            *("--bind", f"127.0.0.1:{settings.WEB_PORT}", "--worker-class", "gthread"),
            *("--workers", "1", "--threads", str(WEB_THREADS)),
            *("--log-level", "warning", "--graceful-timeout", "3"),
        ],
        environment=_python(),
        answers=site_answers,
        is_news=is_not_routine,
    )


def site_answers() -> bool:
    """True when the front page comes as people will get it."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", settings.WEB_PORT, timeout=PROBE_SECONDS
    )
    try:
        host = urlsplit(settings.SITE_ORIGIN).netloc
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _celery(command: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-q", "-A", "wallet_site", command]


def _python() -> dict[str, str]:
    return {"PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "wallet_site.settings"}


# Started in this order, after the chain, its contracts and the database.
AFTER_THE_DATABASE: dict[str, Callable[[], Program]] = {
    "worker": worker,
    "beat": beat,
    "follower": follower,
    "web": web,
}
