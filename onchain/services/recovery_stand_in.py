"""A stand-in of the social recovery module, for local chains and for nothing else.

The module's own code is in no package, so ``devchain/contracts`` holds a contract of
ours with the same interface (protocol.md, section 6). It is compiled once, kept beside
the local chain's base in ``devchain/build``, and put at the module's four addresses. A
chain that other people use has the real ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from onchain.clients.anvil import Anvil
from onchain.clients.node import Node
from onchain.errors import LocalChainError
from onchain.protocol.abi import encode
from onchain.protocol.deployments import DAY, RECOVERY_MODULES
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import checksum_address, parse_hex

CONTRACT = "RecoveryModuleStandIn"
FILE = f"{CONTRACT}.sol"
COMPILER = "solc/package.json"
COMPILE_SECONDS = 120  # it takes two; the machine may be busy
SETTINGS = {
    "optimizer": {"enabled": True, "runs": 200},
    "evmVersion": "cancun",
    "outputSelection": {"*": {CONTRACT: ["evm.bytecode.object"]}},
}


def sources(packages: Path) -> list[Path]:
    """Return the files that decide what the stand-in's code is, with this module."""
    devchain = packages.parent
    return [devchain / "contracts" / FILE, devchain / "compile.cjs"]


def place(
    *, node: Node, anvil: Anvil, packages: Path, report: Callable[[str], None]
) -> int:
    """Put the stand-in at every address of the module; return how many were written.

    Safe to repeat: what is there already is left alone. An older stand-in is replaced.

    Raises:
        LocalChainError: it cannot be compiled.
        ClientError: the chain refused it.
        TransientClientError: the chain did not answer.
    """
    creation = creation_code(packages)
    there = node.codes(list(RECOVERY_MODULES.values()), "latest")
    written = 0
    for (delay, address), code in zip(RECOVERY_MODULES.items(), there, strict=True):
        runtime = anvil.created_code(creation + encode(["uint256"], [delay]))
        if code != runtime:
            where = checksum_address(address)
            report(f"Recovery module, {in_words(delay)}, a local stand-in at {where}")
            anvil.set_code(address, runtime)
            written += 1
    return written


def in_words(delay: int) -> str:
    """Return a delay of the module in days or minutes."""
    return f"{delay // DAY} days" if delay >= DAY else f"{delay // 60} minutes"


def creation_code(packages: Path) -> bytes:
    """Return the stand-in's creation code, without its argument; compile it if new.

    Raises:
        LocalChainError: the compiler is missing or refuses the source.
    """
    kept = packages.parent / "build" / f"recovery-{_key(packages)}.hex"
    try:
        return parse_hex(kept.read_text())
    except (FileNotFoundError, EncodingError):
        pass
    code = _compile(packages)
    kept.parent.mkdir(parents=True, exist_ok=True)
    unfinished = kept.with_suffix(f".{os.getpid()}")
    unfinished.write_text(code)
    unfinished.replace(kept)
    return parse_hex(code)


def _key(packages: Path) -> str:
    digest = hashlib.sha256(json.dumps(SETTINGS).encode())
    for path in (*sources(packages), packages / COMPILER):
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except FileNotFoundError:
            raise LocalChainError(
                f"{path.name} of {path.parent.name} is missing: install the packages "
                "with `make install`."
            ) from None
    return digest.hexdigest()[:16]


def _compile(packages: Path) -> str:
    node = shutil.which("node")
    if node is None:
        raise LocalChainError("Node 20 or newer is needed.")
    source, script = sources(packages)
    asked = {
        "language": "Solidity",
        "sources": {FILE: {"content": source.read_text()}},
        "settings": SETTINGS,
    }
    try:
        run = subprocess.run(  # noqa: S603 - our own command line
            [node, str(script)],
            cwd=packages.parent,
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=COMPILE_SECONDS,
            check=True,
        )
        output = json.loads(run.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise LocalChainError(f"The Solidity compiler failed: {error}") from error
    complaints = list(_complaints(output))
    if complaints:
        raise LocalChainError("\n".join([f"{FILE} does not compile.", *complaints]))
    code = output["contracts"][FILE][CONTRACT]["evm"]["bytecode"]["object"]
    return f"0x{code}"


def _complaints(output: dict[str, list[dict[str, str]]]) -> Iterator[str]:
    """Name errors and warnings alike: the source is ours, and has none."""
    for complaint in output.get("errors", []):
        yield complaint["formattedMessage"]
