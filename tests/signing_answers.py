"""What signing.js must answer, from implementations that are not ours.

eth_account hashes the typed data, eth_abi encodes the calls, eth_utils has its own
keccak, and AbstractionKit made the operations of vectors/abstractionkit.json.
"""

from __future__ import annotations

import json
import random
from base64 import urlsafe_b64encode
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.packed import encode_packed
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

VECTORS = Path(__file__).parent / "vectors" / "abstractionkit.json"
ENTRY_POINT = "0x0000000071727De22E5E9d8BAf0edAc6f37da032"
MODULE = "0x75cf11467937ce3F2f357CE24ffc3DBF8fD5c226"
CREDENTIAL_ID = b"credential-of-alice"
EXECUTE = bytes.fromhex("541d63c8")
MULTI_SEND = "0x38869bf66a61cF6bDB996A6aE40D5853Fd43B526"
MULTI_SEND_CALL = bytes.fromhex("8d80ff0a")
EXECUTE_TYPES = ["address", "uint256", "bytes", "uint8"]
SAFE_OP = [
    ("safe", "address"),
    ("nonce", "uint256"),
    ("initCode", "bytes"),
    ("callData", "bytes"),
    ("verificationGasLimit", "uint128"),
    ("callGasLimit", "uint128"),
    ("preVerificationGas", "uint256"),
    ("maxPriorityFeePerGas", "uint128"),
    ("maxFeePerGas", "uint128"),
    ("paymasterAndData", "bytes"),
    ("validAfter", "uint48"),
    ("validUntil", "uint48"),
    ("entryPoint", "address"),
]
KEY_PROOF = [
    ("role", "string"),
    ("account", "address"),
    ("x", "uint256"),
    ("y", "uint256"),
    ("nonce", "bytes32"),
]


def typed_hash(domain: dict[str, Any], name: str, fields: list, values: dict) -> str:
    """Return the EIP-712 hash that eth_account computes, as 0x text."""
    numeric = {
        field: int(values[field]) if kind.startswith("uint") else values[field]
        for field, kind in fields
    }
    types = {name: [{"name": field, "type": kind} for field, kind in fields]}
    signable = encode_typed_data(domain, types, numeric)
    text = b"\x19" + signable.version + signable.header + signable.body
    return "0x" + keccak(text).hex()


def safe_operation_hash(message: dict[str, str]) -> str:
    domain = {
        "chainId": int(message["chainId"]),
        "verifyingContract": message["module"],
    }
    return typed_hash(domain, "SafeOp", SAFE_OP, message)


def key_proof_hash(message: dict[str, str]) -> str:
    domain = {
        "name": "Latchkey",
        "version": "1",
        "chainId": int(message["chainId"]),
        "verifyingContract": message["verifyingContract"],
    }
    return typed_hash(domain, "KeyProof", KEY_PROOF, message)


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


def call(to: str, value: int, data: bytes = b"") -> dict[str, str]:
    return {
        "to": to_checksum_address(to),
        "valueWei": str(value),
        "data": "0x" + data.hex(),
    }


def single_call_data(single: dict[str, str]) -> str:
    data = bytes.fromhex(single["data"][2:])
    values = [single["to"], int(single["valueWei"]), data, 0]
    return "0x" + (EXECUTE + encode(EXECUTE_TYPES, values)).hex()


def random_call(source: random.Random) -> dict[str, Any]:
    data = source.randbytes(source.randrange(100))
    single = call("0x" + source.randbytes(20).hex(), source.getrandbits(256), data)
    return {"calls": [single], "callData": single_call_data(single)}


def batch_call_data(calls: list[dict[str, str]]) -> str:
    packed = b""
    for single in calls:
        to, data = (bytes.fromhex(single[name][2:]) for name in ("to", "data"))
        packed += encode_packed(
            ["uint8", "address", "uint256", "uint256", "bytes"],
            [0, to, int(single["valueWei"]), len(data), data],
        )
    inner = MULTI_SEND_CALL + encode(["bytes"], [packed])
    return "0x" + (EXECUTE + encode(EXECUTE_TYPES, [MULTI_SEND, 0, inner, 1])).hex()


def decimal_text(wei: int) -> str:
    with localcontext(prec=100):
        return f"{(Decimal(wei) / 10**18).normalize():f}"


def payment_case(
    *, calls: list[dict[str, str]], call_data: str, sponsor: str
) -> dict[str, Any]:
    """Return one good request and what a page shows for it."""
    message = {
        "chainId": "31337",
        "module": MODULE,
        "safe": "0x521846572948D3DeBc80e34e09D2f6cc956734E6",
        "nonce": str((5 << 64) + 3),
        "initCode": "0x",
        "callData": call_data,
        "verificationGasLimit": "170001",
        "callGasLimit": "90000",
        "preVerificationGas": "55000",
        "maxPriorityFeePerGas": "1000000000",
        "maxFeePerGas": "2000000007",
        "paymasterAndData": sponsor,
        "validAfter": "0",
        "validUntil": "1900000000",
        "entryPoint": ENTRY_POINT,
    }
    gas = 170001 + 90000 + 55000
    if sponsor != "0x":
        gas += int(sponsor[42:74], 16) + int(sponsor[74:106], 16)
    shown = {
        "account": {"text": message["safe"], "value": ""},
        "chain": {"text": "Local chain", "value": "31337"},
        "max-fee": {"text": f"{decimal_text(gas * 2000000007)} ETH", "value": ""},
        "payer": {
            "text": "Who pays",
            "value": "account" if sponsor == "0x" else "sponsor",
        },
        "valid-until": {
            "text": "17 March 2030, 17:46",
            "value": "2030-03-17T17:46:40+00:00",
        },
    }
    for index, single in enumerate(calls, 1):
        suffix = "" if len(calls) == 1 else f"-{index}"
        amount = f"{decimal_text(int(single['valueWei']))} ETH"
        shown[f"recipient{suffix}"] = {"text": single["to"], "value": ""}
        shown[f"amount{suffix}"] = {"text": amount, "value": ""}
    hashed = safe_operation_hash(message)
    return case("SafeOp", message, hashed, shown, calls=calls)


def proof_case() -> dict[str, Any]:
    """Return a good request for a key proof and what a page shows for it."""
    message = {
        "chainId": "31337",
        "verifyingContract": to_checksum_address("0x" + "5e" * 20),
        "role": "owner",
        "account": "0x521846572948D3DeBc80e34e09D2f6cc956734E6",
        "x": str(2**255 + 11),
        "y": "12",
        "nonce": "0x" + "ab" * 32,
    }
    shown = {
        "account": {"text": message["account"], "value": ""},
        "role": {"text": "Owner of this account", "value": "owner"},
    }
    return case("KeyProof", message, key_proof_hash(message), shown)


def case(
    kind: str, message: dict[str, str], hashed: str, shown: dict, **more: object
) -> dict[str, Any]:
    credential = urlsafe_b64encode(CREDENTIAL_ID).decode().rstrip("=")
    request = {
        "kind": kind,
        "rpId": "wallet.example.org",
        "allowCredentials": [{"id": credential, "transports": ["internal"]}],
        "hash": hashed,
        "message": message,
        **more,
    }
    return {"request": request, "shown": shown}


def good_requests() -> dict[str, Any]:
    payee, other = "0x" + "b0" * 20, "0x" + "c1" * 20
    one = [call(payee, 250_000_000_000_000_000)]
    sponsor = "0x" + "ab" * 20 + f"{60_000:032x}" + f"{40_000:032x}" + "0102"
    two = [call(payee, 1), call(other, 10**18)]
    return {
        "payment": payment_case(
            calls=one, call_data=single_call_data(one[0]), sponsor="0x"
        ),
        "sponsored": payment_case(
            calls=one, call_data=single_call_data(one[0]), sponsor=sponsor
        ),
        "batch": payment_case(calls=two, call_data=batch_call_data(two), sponsor="0x"),
        "proof": proof_case(),
    }


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
        "requests": good_requests(),
        "credentialId": "0x" + CREDENTIAL_ID.hex(),
        "feeWithoutSponsor": good_requests()["payment"]["shown"]["max-fee"]["text"],
    }
