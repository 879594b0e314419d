"""What signing.js must answer, from implementations that are not ours.

eth_account hashes the typed data, eth_abi encodes the calls, eth_utils has its own
keccak, and AbstractionKit made the operations of vectors/abstractionkit.json.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from tests.signing_drills import drill_case, random_drills
from tests.signing_guardians import guardian_requests
from tests.signing_oracle import (
    ENTRY_POINT,
    EXECUTE_TYPES,
    MODULE,
    SAFE_OP,
    call,
    decimal_text,
    key_proof_hash,
    safe_operation_hash,
    single_call_data,
)
from tests.signing_recovery import random_recoveries, recovery_case
from tests.signing_requests import (
    CREDENTIAL_ID,
    good_requests,
    proof_case,
    with_private_keys,
)

VECTORS = Path(__file__).parent / "vectors" / "abstractionkit.json"


def vector_operations() -> list[dict[str, Any]]:
    """Return AbstractionKit's operations, without times and with, as messages."""
    cases = []
    for vector in json.loads(VECTORS.read_text()):
        prefix = bytes.fromhex(vector["sigDeployedTimed"][2:])[:12]
        times = (int.from_bytes(prefix[:6], "big"), int.from_bytes(prefix[6:], "big"))
        for op, hashes in zip(vector["ops"], vector["hashes"], strict=True):
            for (after, until), key in (
                ((0, 0), "safeOpHash"),
                (times, "safeOpHashTimed"),
            ):
                message = message_of(op) | {
                    "validAfter": str(after),
                    "validUntil": str(until),
                }
                cases.append({"message": message, "hash": hashes[key]})
    return cases


def message_of(op: dict[str, Any]) -> dict[str, str]:
    init_code = "0x"
    if op["factory"] is not None:
        init_code = op["factory"] + op["factoryData"][2:]
    sponsor = "0x"
    if op["paymaster"] is not None:
        limits = ("paymasterVerificationGasLimit", "paymasterPostOpGasLimit")
        gas = "".join(f"{int(op[limit], 16):032x}" for limit in limits)
        sponsor = op["paymaster"] + gas + op["paymasterData"][2:]
    numbers = [
        field
        for field, kind in SAFE_OP
        if kind.startswith("uint") and not field.startswith("valid")
    ]
    return {
        "chainId": "31337",
        "module": MODULE,
        "entryPoint": ENTRY_POINT,
        "safe": op["sender"],
        "initCode": init_code,
        "callData": op["callData"],
        "paymasterAndData": sponsor,
        **{field: str(int(op[field], 16)) for field in numbers},
    }


def vector_calls() -> list[dict[str, Any]]:
    """Return AbstractionKit's call data and the calls that eth_abi reads in it."""
    cases = []
    for vector in json.loads(VECTORS.read_text()):
        for op in vector["ops"]:
            data = bytes.fromhex(op["callData"][2:])
            to, value, inner, operation = decode(EXECUTE_TYPES, data[4:])
            calls = [call(to, value, inner)]
            if operation == 1:
                calls = batched_calls(decode(["bytes"], inner[4:])[0])
            cases.append({"calls": calls, "callData": op["callData"]})
    return cases


def batched_calls(packed: bytes) -> list[dict[str, str]]:
    calls = []
    while packed:
        length = int.from_bytes(packed[53:85], "big")
        value = int.from_bytes(packed[21:53], "big")
        calls.append(call("0x" + packed[1:21].hex(), value, packed[85 : 85 + length]))
        packed = packed[85 + length :]
    return calls


def random_call(source: random.Random) -> dict[str, Any]:
    data = source.randbytes(source.randrange(100))
    single = call("0x" + source.randbytes(20).hex(), source.getrandbits(256), data)
    return {"calls": [single], "callData": single_call_data(single)}


def random_proofs(source: random.Random) -> list[dict[str, Any]]:
    cases = []
    for _ in range(20):
        message = proof_case()["request"]["message"] | {
            "chainId": str(source.getrandbits(64)),
            "role": source.choice(["owner", "guardian", "co-owner"]),
            "verifyingContract": to_checksum_address(source.randbytes(20)),
            "account": to_checksum_address(source.randbytes(20)),
            "x": str(source.getrandbits(256)),
            "y": str(source.getrandbits(8)),
            "nonce": "0x" + source.randbytes(32).hex(),
        }
        cases.append({"message": message, "hash": key_proof_hash(message)})
    return cases


def random_operations(source: random.Random) -> list[dict[str, Any]]:
    cases = []
    for _ in range(20):
        message = {"chainId": str(source.getrandbits(64)), "module": MODULE}
        for field, kind in SAFE_OP:
            if kind == "address":
                message[field] = to_checksum_address(source.randbytes(20))
            elif kind == "bytes":
                message[field] = "0x" + source.randbytes(source.randrange(300)).hex()
            else:
                message[field] = str(source.getrandbits(int(kind[4:])))
        cases.append({"message": message, "hash": safe_operation_hash(message)})
    return cases


def keccak_answers(source: random.Random) -> list[dict[str, str]]:
    lengths = [*range(0, 280), 407, 408, 409, 4096]
    inputs = [source.randbytes(length) for length in lengths]
    return [
        {"data": "0x" + data.hex(), "hash": "0x" + keccak(data).hex()}
        for data in inputs
    ]


def amounts() -> list[dict[str, str]]:
    integers = [0, 1, 10, 10**17, 10**18 - 1, 10**18, 10**18 + 1, 25 * 10**16, 10**24]
    return [{"wei": str(wei), "text": decimal_text(wei)} for wei in integers]


def all_answers() -> dict[str, Any]:
    """Return everything the tests in tests/js compare with, as plain JSON data."""
    source = random.Random(20)  # noqa: S311 - reproducible, not secret
    return {
        "keccak": keccak_answers(source),
        "safeOperations": vector_operations() + random_operations(source),
        "keyProofs": random_proofs(source),
        "calls": vector_calls() + [random_call(source) for _ in range(20)],
        "amounts": amounts(),
        "requests": with_private_keys(good_requests() | guardian_requests()),
        "recovery": recovery_case(),
        "recoveries": random_recoveries(source),
        "drill": drill_case(),
        "drills": random_drills(source),
        "credentialId": "0x" + CREDENTIAL_ID.hex(),
        "feeWithoutSponsor": good_requests()["payment"]["shown"]["max-fee"]["text"],
    }
