"""The local chain's saved state: a base with all contracts, and the person's own.

The base is made once for each set of packages and deployment code, in
``devchain/build``, outside git. A fresh ``VAR_DIR`` begins as a copy of it; from then
on anvil writes the state there when it stops, and every few seconds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from onchain.clients import anvil as anvil_client
from onchain.clients.errors import ClientError, TransientClientError
from onchain.protocol import deployments
from onchain.services import contract_sources, local_chain, recovery_stand_in
from onchain.services.local_chain import LocalChain, Sponsor
from wallet_site import files
from wallet_site.processes import ProcessError

DEVCHAIN = Path(settings.BASE_DIR) / "devchain"
PACKAGES = DEVCHAIN / "node_modules"
BASE_FOLDER = DEVCHAIN / "build"
SAVE_SECONDS = 10  # at most this much of the chain is lost to a hard kill
KEPT_STATES = 64  # older blocks and their logs stay, but not their state
START_SECONDS = 20.0


def anvil_argv(*, port: int, state: Path, load: Path | None) -> list[str]:
    """Return anvil's command line; it loads one state and saves to another.

    Blocks come every second and with each transaction, and the hard fork is one that
    has the P-256 precompile (protocol.md, section 2).

    Raises:
        ProcessError: anvil is not installed.
    """
    found = sorted((PACKAGES / "@foundry-rs").glob("anvil-*/bin/anvil"))
    if not found:
        raise ProcessError("anvil is not installed. Run `make install`.")
    argv = [str(found[0]), "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--chain-id", str(local_chain.CHAIN_ID), "--quiet"]
    argv += ["--block-time", "1", "--mixed-mining", "--hardfork", "osaka"]
    argv += ["--dump-state", str(state), "--state-interval", str(SAVE_SECONDS)]
    # Without these it keeps a copy of the whole state for every block, in the home
    # folder and for ever: 26 GB a day.
    argv += ["--max-persisted-states", str(KEPT_STATES)]
    argv += ["--cache-path", str(_cache_of(state))]
    if load is not None:
        argv += ["--load-state", str(load)]
    return argv


def _cache_of(state: Path) -> Path:
    return state.with_name("anvil-cache")


def connect(*, url: str) -> LocalChain:
    """Return the clients of the anvil behind the URL."""
    return LocalChain.at(url, timeout=settings.CLIENT_TIMEOUT, packages=PACKAGES)


def sponsor() -> Sponsor:
    """Return the paymaster and the signer that the settings name."""
    return Sponsor.of(
        paymaster=settings.PAYMASTER_ADDRESS, private_key=settings.SPONSOR_PRIVATE_KEY
    )


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def base_state(*, report: Callable[[str], None]) -> Path:
    """Return the state of a chain with every contract; make it when it is missing.

    Raises:
        ProcessError: anvil is missing or does not start.
        LocalChainError: a package is missing, or is not the pinned one.
    """
    path = BASE_FOLDER / f"state-{_base_key()}.json"
    if not path.exists():
        BASE_FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        try:
            _make_base(unfinished, report)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path


def _base_key() -> str:
    """Name the base after everything that decides what is in it."""
    digest = hashlib.sha256()
    digest.update((DEVCHAIN / "package-lock.json").read_bytes())
    for module in (
        local_chain,
        contract_sources,
        recovery_stand_in,
        anvil_client,
        deployments,
    ):
        digest.update(Path(str(module.__file__)).read_bytes())
    for path in recovery_stand_in.sources(PACKAGES):
        digest.update(path.read_bytes())
    who = sponsor()
    digest.update(who.paymaster + who.signer)
    return digest.hexdigest()[:16]


def _make_base(path: Path, report: Callable[[str], None]) -> None:
    port = free_port()
    chain = connect(url=f"http://127.0.0.1:{port}")
    argv = anvil_argv(port=port, state=path, load=None)
    child = subprocess.Popen(  # noqa: S603 - our own command line
        argv, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait_for(chain, child)
        local_chain.deploy(chain=chain, sponsor=sponsor(), report=report)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(START_SECONDS)
    if not path.exists():
        raise ProcessError("anvil stopped without saving the chain's state.")


def _wait_for(chain: LocalChain, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(chain):
        if child.poll() is not None or time.monotonic() > deadline:
            raise ProcessError("anvil does not start: try `make reset`.")
        time.sleep(0.02)


def answers(chain: LocalChain) -> bool:
    """True when the chain's node answers."""
    try:
        return chain.node.chain_id() > 0
    except (ClientError, TransientClientError):
        return False


def saved_state(*, report: Callable[[str], None]) -> Path:
    """Return the person's own chain state, begun as a copy of the base."""
    path = Path(settings.VAR_DIR) / "devchain" / "state.json"
    shutil.rmtree(_cache_of(path), ignore_errors=True)  # of a run that was killed
    if not files.is_written(path):
        base = base_state(report=report)
        path.parent.mkdir(parents=True, exist_ok=True)
        files.create(path, base.read_bytes())
    return path
