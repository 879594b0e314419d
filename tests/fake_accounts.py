"""What the contracts of an account say, in Python: the checks a fake node answers with.

Nothing here is taken from ``onchain.protocol`` but ABI encoding: the SafeOp hash comes
from eth_account, the client data is rebuilt as ``WebAuthn.sol`` does it, and the
signature is verified by ``cryptography``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address

from tests.signing_oracle import (
    ENTRY_POINT,
    MODULE,
    SHARED_SIGNER,
    creation,
    safe_operation_hash,
    selector,
)

PACKED = "(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)"
VALID = bytes(32)
WRONG_SIGNATURE = (1).to_bytes(32, "big")
MAGIC = bytes.fromhex("1626ba7e").ljust(32, b"\0")
NOT_MAGIC = bytes(32)
USER_VERIFIED = 0x04
Keys = dict[bytes, tuple[int, int]]  # public key by signer address


def validate_user_op(
    arguments: bytes, *, keys: Keys, threshold: int, chain_id: int
) -> bytes:
    """Return what Safe4337Module.validateUserOp returns for passkey owners."""
    packed, _hash, _missing = decode([PACKED, "bytes32", "uint256"], arguments)
    signature = packed[8]
    valid_after, valid_until = (
        int.from_bytes(signature[place : place + 6], "big") for place in (0, 6)
    )
    challenge = bytes.fromhex(
        safe_operation_hash(_message(packed, valid_after, valid_until, chain_id))[2:]
    )
    is_valid = _safe_accepts(challenge, signature[12:], keys, threshold)
    times = (valid_after << 208) | (valid_until << 160)
    return (times | (0 if is_valid else 1)).to_bytes(32, "big")


def is_valid_signature_for_signer(arguments: bytes) -> bytes:
    """Return what SafeWebAuthnSignerFactory answers about a passkey's signature."""
    kinds = ["bytes32", "bytes", "uint256", "uint256", "uint176"]
    challenge, signature, x, y, _verifiers = decode(kinds, arguments)
    return MAGIC if passkey_accepts(challenge, signature, (x, y)) else NOT_MAGIC


def passkey_accepts(challenge: bytes, signature: bytes, key: tuple[int, int]) -> bool:
    """Whether the signer's contract accepts an ABI-encoded WebAuthn signature."""
    data, fields, (r, s) = decode(["bytes", "bytes", "uint256[2]"], signature)
    text = base64.urlsafe_b64encode(challenge).rstrip(b"=")
    client = b'{"type":"webauthn.get","challenge":"' + text + b'",' + fields + b"}"
    public_key = ec.EllipticCurvePublicNumbers(*key, ec.SECP256R1()).public_key()
    try:
        public_key.verify(
            encode_dss_signature(r, s),
            data + hashlib.sha256(client).digest(),
            ec.ECDSA(hashes.SHA256()),
        )
    except InvalidSignature:
        return False
    return bool(data[32] & USER_VERIFIED)


def refusal_of_first_operation(
    arguments: bytes,
    *,
    exists: Callable[[bytes], bool],
    balance: Callable[[bytes], int],
    chain_id: int,
) -> str:
    """Return why EntryPoint.handleOps would refuse an operation with initCode, or "".

    The account is the one that this set-up makes: one passkey, the shared signer.
    """
    (packed,), _beneficiary = decode([f"{PACKED}[]", "address"], arguments)
    sender, init_code = bytes.fromhex(packed[0][2:]), packed[2]
    if exists(sender):
        return "AA10 sender already constructed"
    setup, salt = decode(["address", "bytes", "uint256"], init_code[24:])[1:]
    place = setup.index(selector("configure((uint256,uint256,uint176))")) + 4
    x, y, verifiers = decode(["uint256"] * 3, setup[place : place + 96])
    account, code = creation(x=x, y=y, verifiers=verifiers, salt=salt)
    if (account, code) != (to_checksum_address(sender), "0x" + init_code.hex()):
        return "AA14 initCode must return sender"
    gas = int.from_bytes(packed[4][:16], "big") + int.from_bytes(packed[4][16:], "big")
    fee = int.from_bytes(packed[6][16:], "big")
    if balance(sender) < (gas + packed[5]) * fee:
        return "AA21 didn't pay prefund"
    answer = validate_user_op(
        encode([PACKED, "bytes32", "uint256"], [packed, bytes(32), 0]),
        keys={bytes.fromhex(SHARED_SIGNER[2:]): (x, y)},
        threshold=1,
        chain_id=chain_id,
    )
    is_wrong = int.from_bytes(answer, "big") & 1
    return "AA24 signature error" if is_wrong else ""


def _safe_accepts(
    challenge: bytes, signatures: bytes, keys: Keys, threshold: int
) -> bool:
    """Check one 65-byte entry per needed owner, as Safe's checkNSignatures does."""
    before = b""
    for place in range(threshold):
        entry = signatures[65 * place : 65 * (place + 1)]
        start = int.from_bytes(entry[32:64], "big")
        length = int.from_bytes(signatures[start : start + 32], "big")
        inner = signatures[start + 32 : start + 32 + length]
        owner = entry[12:32]
        key = keys.get(owner)
        if owner <= before or key is None or not passkey_accepts(challenge, inner, key):
            return False
        before = owner
    return True


def _message(
    packed: tuple[Any, ...], valid_after: int, valid_until: int, chain_id: int
) -> dict[str, str]:
    sender, nonce, init_code, call_data, limits, gas, fees, sponsor, _signature = packed
    return {
        "chainId": str(chain_id),
        "module": MODULE,
        "safe": to_checksum_address(sender),
        "nonce": str(nonce),
        "initCode": "0x" + init_code.hex(),
        "callData": "0x" + call_data.hex(),
        "verificationGasLimit": str(int.from_bytes(limits[:16], "big")),
        "callGasLimit": str(int.from_bytes(limits[16:], "big")),
        "preVerificationGas": str(gas),
        "maxPriorityFeePerGas": str(int.from_bytes(fees[:16], "big")),
        "maxFeePerGas": str(int.from_bytes(fees[16:], "big")),
        "paymasterAndData": "0x" + sponsor.hex(),
        "validAfter": str(valid_after),
        "validUntil": str(valid_until),
        "entryPoint": ENTRY_POINT,
    }
