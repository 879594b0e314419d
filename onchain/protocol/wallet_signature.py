"""What externally owned accounts and other contracts sign, and how it is checked.

Sources: EIP-191 (version 0x45, ``personal_sign``), https://eips.ethereum.org/EIPS/eip-191;
EIP-1271, https://eips.ethereum.org/EIPS/eip-1271; ``Safe.sol`` 1.4.1,
``checkNSignatures``: an account's signature is r || s || v over the hash itself, s of
either half, and a contract is asked with the older ``isValidSignature(bytes,bytes)``.
"""

from __future__ import annotations

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature, ValidationError

from onchain.protocol.abi import call_data, keccak
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, Bytes32, require_bytes32

SIGNATURE_LENGTH = 65  # r || s || v
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # secp256k1
EIP1271_MAGIC = bytes.fromhex("1626ba7e")
OLDER_MAGIC = bytes.fromhex("20c13b0b")  # of isValidSignature(bytes,bytes)


def personal_message(text: str) -> bytes:
    """Return the bytes whose hash ``personal_sign`` signs: prefix, length, text."""
    body = text.encode()
    return b"\x19Ethereum Signed Message:\n" + str(len(body)).encode("ascii") + body


def personal_hash(text: str) -> Bytes32:
    """Return the hash that ``personal_sign`` signs for a text: 32 bytes."""
    return keccak(personal_message(text))


def parse_account_signature(data: bytes) -> bytes:
    """Return r || s || v with v of 27 or 28, as the Safe reads it: 65 bytes.

    A v of 0 or 1, as some hardware wallets answer, means the same. ``s`` may be of
    either half: never use signature bytes as a key of anything.

    Raises:
        EncodingError: another length or v, or r, s outside 1 .. order - 1.
    """
    if len(data) != SIGNATURE_LENGTH:
        raise EncodingError("an account's signature is 65 bytes")
    r, s = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:64], "big")
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise EncodingError("r or s is outside the order of secp256k1")
    v = data[64] + 27 if data[64] in {0, 1} else data[64]
    if v not in {27, 28}:
        raise EncodingError("v is neither 27 nor 28")
    return data[:64] + bytes([v])


def low_s_signature(data: bytes) -> bytes:
    """Return the same account's signature with s of the lower half: 65 bytes.

    The Safe takes both forms; contracts that check with OpenZeppelin's ECDSA, as the
    recovery module does, take this one only.

    Raises:
        EncodingError: as ``parse_account_signature``.
    """
    known = parse_account_signature(data)
    s = int.from_bytes(known[32:64], "big")
    if s <= ORDER // 2:
        return known
    return known[:32] + (ORDER - s).to_bytes(32, "big") + bytes([27 + 28 - known[64]])


def recovered_signer(digest: Bytes32, signature: bytes) -> Address:
    """Return which account signed a hash, as ``ecrecover`` does: 20 bytes.

    Args:
        signature: what ``parse_account_signature`` returned.

    Raises:
        EncodingError: not such a signature, or of no key.
    """
    known = parse_account_signature(signature)
    vrs = (
        known[64] - 27,
        int.from_bytes(known[:32], "big"),
        int.from_bytes(known[32:64], "big"),
    )
    try:
        key = Signature(vrs=vrs).recover_public_key_from_msg_hash(
            require_bytes32(digest)
        )
    except (BadSignature, ValidationError, ValueError) as error:
        raise EncodingError("no key made this signature") from error
    return Address(key.to_canonical_address())


def is_valid_signature_data(digest: Bytes32, signature: bytes) -> bytes:
    """Return the call data of EIP-1271's ``isValidSignature(bytes32,bytes)``.

    Raises:
        EncodingError: the digest is not 32 bytes.
    """
    return call_data("isValidSignature(bytes32,bytes)", digest, signature)


def older_is_valid_signature_data(message: bytes, signature: bytes) -> bytes:
    """Return the call data of ``isValidSignature(bytes,bytes)``, which a Safe asks.

    Args:
        message: what was hashed; for an operation ``safe_operation_data``.
    """
    return call_data("isValidSignature(bytes,bytes)", message, signature)
