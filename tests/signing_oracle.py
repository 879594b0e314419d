"""Hashes and call data by eth_account, eth_abi and decimal: not by our own code."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

from eth_abi.abi import encode
from eth_abi.packed import encode_packed
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

ENTRY_POINT = "0x0000000071727De22E5E9d8BAf0edAc6f37da032"
MODULE = "0x75cf11467937ce3F2f357CE24ffc3DBF8fD5c226"
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
