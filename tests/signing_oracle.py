"""Hashes and call data by eth_account, eth_abi and decimal: not by our own code."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext
from functools import cache
from pathlib import Path
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
SIGNER_FACTORY = "0xF7488fFbe67327ac9f37D5F722d83Fc900852Fbf"
SIGNER_SINGLETON = "0x270D7E4a57E6322f336261f3EaE2BADe72E68d72"
FCL_VERIFIER = "0x445a0683e494ea0c5AF3E83c5159fBE47Cf9e765"
VERIFIERS = (0x0100 << 160) + int(FCL_VERIFIER, 16)
PROXY_ARTIFACT = (
    Path(__file__).parent.parent / "devchain/node_modules/@safe-global/safe-passkey/"
    "build/artifacts/contracts/SafeWebAuthnSignerProxy.sol/SafeWebAuthnSignerProxy.json"
)
SHARED_SIGNER = "0xfD90FAd33ee8b58f32c00aceEad1358e4AFC23f9"
MODULE_SETUP = "0x2dd68b007B46fBe91B9A7c3EDa5A7a1063cB5b47"
PROXY_FACTORY = "0x4e1DCf7AD4e460CfD30791CCC4F9c8a4f820ec67"
SAFE_L2 = "0x29fcB43b46531BcA003ddC8FCB67FFE91900C762"
SAFE_PROXY_ARTIFACT = (
    Path(__file__).parent.parent / "devchain/node_modules/@safe-global/safe-contracts/"
    "build/artifacts/contracts/proxies/SafeProxy.sol/SafeProxy.json"
)
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


@cache
def proxy_code() -> bytes:
    """Return the creation code of the signer proxy, as its package publishes it."""
    return bytes.fromhex(json.loads(PROXY_ARTIFACT.read_text())["bytecode"][2:])


def signer_address(x: int, y: int, verifiers: int = VERIFIERS) -> str:
    """Return where the factory puts a key's signer (EIP-1014), by eth_abi alone."""
    made = proxy_code() + encode(
        ["address", "uint256", "uint256", "uint176"],
        [SIGNER_SINGLETON, x, y, verifiers],
    )
    place = encode_packed(
        ["bytes1", "address", "uint256", "bytes32"],
        [b"\xff", SIGNER_FACTORY, 0, keccak(made)],
    )
    return to_checksum_address(keccak(place)[12:])


def fingerprint(x: int, y: int) -> str:
    """Return the first and last four bytes of a key's hash, in groups of four."""
    text = keccak(encode(["uint256", "uint256"], [x, y])).hex()
    return " ".join([text[:4], text[4:8], text[-8:-4], text[-4:]])


def function_call(signature: str, *values: Any) -> bytes:
    """Return the call data of ``name(type,type)``."""
    types = signature[signature.index("(") + 1 : -1].split(",")
    return selector(signature) + encode(types, values)


def selector(signature: str) -> bytes:
    """Return the first four bytes of the hash of ``name(type,type)``."""
    return keccak(signature.encode())[:4]


def addition_calls(
    *, safe: str, x: int, y: int, signer: str, threshold: int
) -> list[dict[str, str]]:
    """Return the two calls that make a passkey an owner of an account."""
    add = function_call("addOwnerWithThreshold(address,uint256)", signer, threshold)
    return [creating_call(x, y), call(safe, 0, add)]


def creating_call(x: int, y: int) -> dict[str, str]:
    """Return the call that puts a passkey's signer on chain."""
    create = function_call("createSigner(uint256,uint256,uint176)", x, y, VERIFIERS)
    return call(SIGNER_FACTORY, 0, create)


def installing_calls(
    *, safe: str, x: int, y: int, signer: str, verifiers: int
) -> list[dict[str, str]]:
    """Return the two calls that put a passkey's own signer in the shared one's place."""
    create = function_call("createSigner(uint256,uint256,uint176)", x, y, verifiers)
    first = "0x" + "00" * 19 + "01"
    swap = function_call(
        "swapOwner(address,address,address)", first, SHARED_SIGNER, signer
    )
    return [call(SIGNER_FACTORY, 0, create), call(safe, 0, swap)]


def creation(*, x: int, y: int, verifiers: int, salt: int) -> tuple[str, str]:
    """Return the account of one passkey behind the shared signer, and its initCode."""
    enable = selector("enableModules(address[])") + encode(["address[]"], [[MODULE]])
    configure = selector("configure((uint256,uint256,uint176))") + encode(
        ["uint256", "uint256", "uint176"], [x, y, verifiers]
    )
    packed = b"".join(
        encode_packed(
            ["uint8", "address", "uint256", "uint256", "bytes"],
            [1, to, 0, len(data), data],
        )
        for to, data in ((MODULE_SETUP, enable), (SHARED_SIGNER, configure))
    )
    both = MULTI_SEND_CALL + encode(["bytes"], [packed])
    nobody = "0x" + "00" * 20
    setup = function_call(
        "setup(address[],uint256,address,bytes,address,address,uint256,address)",
        *([SHARED_SIGNER], 1, MULTI_SEND, both, MODULE, nobody, 0, nobody),
    )
    made = function_call(
        "createProxyWithNonce(address,bytes,uint256)", SAFE_L2, setup, salt
    )
    salted = keccak(keccak(setup) + encode(["uint256"], [salt]))
    code = json.loads(SAFE_PROXY_ARTIFACT.read_text())["bytecode"][2:]
    place = encode_packed(
        ["bytes1", "address", "bytes32", "bytes32"],
        [
            b"\xff",
            PROXY_FACTORY,
            salted,
            keccak(bytes.fromhex(code) + encode(["address"], [SAFE_L2])),
        ],
    )
    return to_checksum_address(keccak(place)[12:]), PROXY_FACTORY.lower() + made.hex()


def decimal_text(wei: int) -> str:
    with localcontext(prec=100):
        return f"{(Decimal(wei) / 10**18).normalize():f}"
