"""AbstractionKit's own results, and what several protocol tests build from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from onchain.protocol.types import Address, PublicKey, to_address
from onchain.protocol.user_operation import UserOperationV07, from_rpc

ROOT = Path(__file__).resolve().parents[3]
VECTORS: list[dict[str, Any]] = json.loads(
    (ROOT / "tests/vectors/abstractionkit.json").read_text()
)
CHAIN_ID = 31337

NAMES = [f"{index}-{vector['name']}" for index, vector in enumerate(VECTORS)]
OPERATIONS = [
    (vector["ops"][index], vector["hashes"][index])
    for vector in VECTORS
    for index in range(len(vector["ops"]))
]
OPERATION_NAMES = [
    f"{name}-{index}"
    for name, vector in zip(NAMES, VECTORS, strict=True)
    for index in range(len(vector["ops"]))
]

# A key of its own for tests that need no particular one: RFC 6979, A.2.5.
PUBLIC_KEY = PublicKey(
    x=0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6,
    y=0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299,
)
EOA = to_address("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A")
RECIPIENT = to_address("0x" + "b0" * 20)


def public_key(vector: dict[str, Any]) -> PublicKey:
    return PublicKey(x=int(vector["x"], 16), y=int(vector["y"], 16))


def extra_owners(vector: dict[str, Any]) -> list[Address]:
    return [to_address(vector["eoa"])] if vector["extraOwner"] else []


def threshold(vector: dict[str, Any]) -> int:
    return 2 if vector["extraOwner"] else 1


def operation(**changes: object) -> UserOperationV07:
    """The first vector's second operation without its paymaster, changed."""
    fields = {
        name: value
        for name, value in VECTORS[0]["ops"][1].items()
        if not name.startswith("paymaster")
    }
    base = from_rpc(fields)
    values = {name: getattr(base, name) for name in UserOperationV07.__slots__}
    return UserOperationV07(**{**values, **changes})
