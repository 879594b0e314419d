"""A good request for a guardian's signature, hashed by eth_account."""

from __future__ import annotations

import random
from typing import Any

from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from tests.signing_requests import SAFE, case

MODULE = "0x088f6cfD8BB1dDb1BB069CCb3fc1A98927D233f2"  # 7 days
EXECUTE_RECOVERY = [
    {"name": "wallet", "type": "address"},
    {"name": "newOwners", "type": "address[]"},
    {"name": "newThreshold", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
]


def recovery_hash(message: dict[str, Any]) -> str:
    """Return the hash that guardians sign, by eth_account."""
    domain = {
        "name": "Social Recovery Module",
        "version": "0.0.1",
        "chainId": int(message["chainId"]),
        "verifyingContract": message["verifyingContract"],
    }
    fields = {
        "wallet": message["wallet"],
        "newOwners": message["newOwners"],
        "newThreshold": int(message["newThreshold"]),
        "nonce": int(message["nonce"]),
    }
    signable = encode_typed_data(domain, {"ExecuteRecovery": EXECUTE_RECOVERY}, fields)
    text = b"\x19" + signable.version + signable.header + signable.body
    return "0x" + keccak(text).hex()


def recovery_case() -> dict[str, Any]:
    """Return a good request for a guardian and what a page shows for it."""
    owners = [to_checksum_address("0x" + pair * 20) for pair in ("f1", "e2")]
    message: dict[str, Any] = {
        "chainId": "31337",
        "verifyingContract": to_checksum_address(MODULE.lower()),
        "wallet": SAFE,
        "newOwners": owners,
        "newThreshold": "1",
        "nonce": "3",
    }
    shown = {
        "account": {"text": SAFE, "value": ""},
        "chain": {"text": "Local chain", "value": "31337"},
        "delay": {"text": "7 days", "value": "604800"},
        "new-owner-1": {"text": owners[0], "value": ""},
        "new-owner-2": {"text": owners[1], "value": ""},
        "new-threshold": {"text": "1 of 2 must approve", "value": "1"},
    }
    return case("ExecuteRecovery", message, recovery_hash(message), shown)


def random_recoveries(source: random.Random) -> list[dict[str, Any]]:
    """Return messages of one owner and of many, with their hashes."""
    cases = []
    for count in range(1, 12):
        message = recovery_case()["request"]["message"] | {
            "chainId": str(source.getrandbits(50) + 1),
            "wallet": to_checksum_address(source.randbytes(20)),
            "newOwners": [
                to_checksum_address(source.randbytes(20)) for _ in range(count)
            ],
            "newThreshold": str(source.getrandbits(256)),
            "nonce": str(source.getrandbits(256)),
        }
        cases.append({"message": message, "hash": recovery_hash(message)})
    return cases
