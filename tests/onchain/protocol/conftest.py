"""What protocol tests read from the published contract packages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ROOT / "devchain/node_modules/@safe-global"


def artifact(path: str) -> dict[str, str]:
    """The compiler's output for one published contract."""
    file = PACKAGES / path
    assert file.exists(), f"run npm ci in devchain: {path} is missing"
    content: dict[str, str] = json.loads(file.read_text())
    return content


def passkey_artifact(name: str) -> dict[str, str]:
    return artifact(f"safe-passkey/build/artifacts/contracts/{name}.sol/{name}.json")


@pytest.fixture(scope="session")
def proxy_code() -> bytes:
    code = passkey_artifact("SafeWebAuthnSignerProxy")["bytecode"]
    return bytes.fromhex(code[2:])


@pytest.fixture(scope="session")
def factory_code() -> bytes:
    code = passkey_artifact("SafeWebAuthnSignerFactory")["deployedBytecode"]
    return bytes.fromhex(code[2:])
