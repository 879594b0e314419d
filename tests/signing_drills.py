"""A good request for a guardian's answer to a rehearsal, hashed by eth_account."""

from __future__ import annotations

import random
from typing import Any

from eth_utils.address import to_checksum_address

from tests.signing_oracle import typed_hash
from tests.signing_requests import SAFE, case

NOTICE = "This is a rehearsal. Nothing can happen to the account."
RECOVERY_DRILL = [
    ("notice", "string"),
    ("account", "address"),
    ("nonce", "bytes32"),
    ("askedAt", "uint64"),
]


def drill_hash(message: dict[str, Any]) -> str:
    """Return the hash that guardians sign, by eth_account."""
    domain = {"name": "Latchkey", "version": "1", "chainId": int(message["chainId"])}
    fields = message | {"notice": NOTICE}
    return typed_hash(domain, "RecoveryDrill", RECOVERY_DRILL, fields)


def drill_case() -> dict[str, Any]:
    """Return a good request for a guardian and what a page shows for it."""
    message = {
        "chainId": "31337",
        "account": SAFE,
        "nonce": "0x" + "7c" * 32,
        "askedAt": "1790000000",
    }
    shown = {
        "notice": {"text": NOTICE, "value": ""},
        "account": {"text": SAFE, "value": ""},
        "chain": {"text": "Local chain", "value": "31337"},
        "asked-at": {"text": "today", "value": "2026-09-21T14:13:20+00:00"},
    }
    return case("RecoveryDrill", message, drill_hash(message), shown)


def random_drills(source: random.Random) -> list[dict[str, Any]]:
    """Return messages with their hashes."""
    cases = []
    for _ in range(10):
        message = {
            "chainId": str(source.getrandbits(50) + 1),
            "account": to_checksum_address(source.randbytes(20)),
            "nonce": "0x" + source.randbytes(32).hex(),
            "askedAt": str(source.getrandbits(64)),
        }
        cases.append({"message": message, "hash": drill_hash(message)})
    return cases
