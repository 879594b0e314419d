"""Where each contract's creation code comes from, and the official lists of them.

The contracts are (L)GPL: their code is read from the npm packages of ``devchain`` and
from PyPI's safe-eth-py, and never copied into this repository (protocol.md, 1).
"""

from __future__ import annotations

import ast
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onchain.errors import LocalChainError
from onchain.protocol.abi import encode
from onchain.protocol.deployments import (
    DETERMINISTIC_DEPLOYER,
    ENTRY_POINT,
    SAFE_SINGLETON_FACTORY,
)
from onchain.protocol.types import Address, Bytes32, parse_hex, to_address, to_bytes32

ENTRY_POINT_SALT = to_bytes32(
    "0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3"
)
ZERO_SALT = Bytes32(bytes(32))
_SAFE = "@safe-global/safe-contracts/build/artifacts/contracts"
_SAFE_4337 = "@safe-global/safe-4337/build/artifacts/contracts"
_PASSKEY = "@safe-global/safe-passkey/build/artifacts/contracts"
_ACCOUNT_ABSTRACTION = "@account-abstraction/contracts/artifacts"
PAYMASTER_ARTIFACT = f"{_ACCOUNT_ABSTRACTION}/VerifyingPaymaster.json"
SINGLETON_FACTORY_RECORD = (
    "@safe-global/safe-singleton-factory/artifacts/31337/deployment.json"
)
OFFICIAL_LISTS = (
    "@safe-global/safe-deployments/dist/assets/v1.4.1",
    "@safe-global/safe-modules-deployments/dist/assets/safe-4337-module/v0.3.0",
    "@safe-global/safe-modules-deployments/dist/assets/safe-passkey-module/v0.2.0",
)
MULTICALL_MODULE = "safe_eth/eth/contracts/abis/multicall.py"
MULTICALL_CONSTANT = "multicall_v3_bytecode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Creation code in an npm package, and how it gets to its address."""

    name: str  # as in onchain.protocol.deployments.CONTRACTS
    artifact: str
    deployer: Address = SAFE_SINGLETON_FACTORY
    salt: Bytes32 = ZERO_SALT
    arguments: bytes = b""  # of the constructor, ABI-encoded


def _safe(name: str, folder: str = "") -> Source:
    return Source(name=name, artifact=f"{_SAFE}/{folder}{name}.sol/{name}.json")


def _module(
    package: str, name: str, folder: str = "", arguments: bytes = b""
) -> Source:
    return Source(
        name=name,
        artifact=f"{package}/{folder}{name}.sol/{name}.json",
        deployer=DETERMINISTIC_DEPLOYER,
        arguments=arguments,
    )


# In the order of deployment. The signer singleton is made by its factory's constructor.
SOURCES = (
    Source(
        name="EntryPoint",
        artifact=f"{_ACCOUNT_ABSTRACTION}/EntryPoint.json",
        deployer=DETERMINISTIC_DEPLOYER,
        salt=ENTRY_POINT_SALT,
    ),
    _safe("SafeL2"),
    _safe("SafeProxyFactory", "proxies/"),
    _safe("MultiSend", "libraries/"),
    _safe("MultiSendCallOnly", "libraries/"),
    _safe("CompatibilityFallbackHandler", "handler/"),
    _safe("SimulateTxAccessor", "accessors/"),
    _safe("SignMessageLib", "libraries/"),
    _module(_SAFE_4337, "Safe4337Module", arguments=encode(["address"], [ENTRY_POINT])),
    _module(_SAFE_4337, "SafeModuleSetup"),
    _module(_PASSKEY, "SafeWebAuthnSignerFactory"),
    _module(_PASSKEY, "SafeWebAuthnSharedSigner", "4337/"),
    _module(_PASSKEY, "FCLP256Verifier", "verifiers/"),
)


def read_package(packages: Path, path: str) -> Any:
    """Return a JSON file of an npm package.

    Raises:
        LocalChainError: the package is not installed.
    """
    try:
        return json.loads((packages / path).read_text())
    except FileNotFoundError:
        raise LocalChainError(
            f"{path} is missing: install the packages with `make install`."
        ) from None


def creation_code(packages: Path, source: Source) -> bytes:
    """Return a contract's creation code with its constructor's arguments."""
    artifact = read_package(packages, source.artifact)
    return parse_hex(artifact["bytecode"]) + source.arguments


def multicall_creation_code() -> bytes:
    """Return Multicall3's creation code, read from safe-eth-py without running it.

    Raises:
        LocalChainError: safe-eth-py is not installed, or holds no such constant.
    """
    spec = importlib.util.find_spec("safe_eth")
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    for folder in folders:
        module = Path(folder).parent / MULTICALL_MODULE
        for node in ast.parse(module.read_text()).body:
            if isinstance(node, ast.Assign) and _names(node) == [MULTICALL_CONSTANT]:
                value = ast.literal_eval(node.value)
                if isinstance(value, bytes):
                    return value
    raise LocalChainError(
        "safe-eth-py is missing: install the packages with `make install`."
    )


def _names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def official_code_hashes(packages: Path) -> dict[Address, Bytes32 | None]:
    """Return the canonical addresses of Safe's lists, with the code hashes they give.

    The list of modules gives addresses only: None.
    """
    known: dict[Address, Bytes32 | None] = {}
    for folder in OFFICIAL_LISTS:
        for path in sorted((packages / folder).glob("*.json")):
            record = read_package(packages, str(path.relative_to(packages)))
            if "deployments" in record:
                canonical = record["deployments"]["canonical"]
                address = to_address(canonical["address"])
                known[address] = to_bytes32(canonical["codeHash"])
            else:
                known[to_address(record["networkAddresses"]["1"])] = None
    return known
