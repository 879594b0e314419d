"""A passkey's assertion as the chain reads it, and its place among a Safe's owners.

Sources: ``WebAuthn.sol`` of safe-passkey 0.2.0; Web Authentication Level 3, section
5.8.1.1, for the order of clientDataJSON; RFC 3279 section 2.2.3 and ITU-T X.690
section 10 for DER; ``Safe.sol`` 1.4.1, ``checkNSignatures``; ``Safe4337Module.sol``
0.3.0 for the two times before the signatures.

The contracts rebuild clientDataJSON from the challenge and the text after it, so a
passkey provider that writes its members in another order cannot sign on chain.
Other owners are externally owned accounts, which sign the hash itself.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from onchain.protocol.abi import decode, encode
from onchain.protocol.errors import EncodingError
from onchain.protocol.p256 import ORDER
from onchain.protocol.types import (
    Address,
    require_address,
    require_bytes32,
    uint_bytes,
)

SIGNATURE_LENGTH = 65  # bytes of one owner in the fixed part: r || s || v
AUTHENTICATOR_DATA_LENGTH = 37  # bytes at least: rpIdHash, flags, counter
CONTRACT_SIGNATURE = b"\x00"  # v of a contract's signature


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeSignature:
    """One owner's signature of the operation's hash."""

    owner: Address  # as the chain has it: a passkey's is its signer's address
    signature: bytes  # r || s || v (27 or 28), or what the contract reads
    is_contract: bool


def client_data_json(*, challenge: bytes, client_data_fields: bytes) -> bytes:
    """Return the clientDataJSON that the contracts rebuild.

    Args:
        challenge: the 32 bytes that were signed.

    Raises:
        EncodingError: the challenge is not 32 bytes.
    """
    return _prefix(challenge) + client_data_fields + b"}"


def client_data_fields(client_data_json: bytes, challenge: bytes) -> bytes:
    """Return the text after the challenge's comma, without the closing brace.

    Args:
        challenge: the 32 bytes that must have been signed.

    Raises:
        EncodingError: another challenge or type, members in another order, or
            nothing after the challenge.
    """
    prefix = _prefix(challenge)
    has_frame = client_data_json.startswith(prefix) and client_data_json.endswith(b"}")
    fields = client_data_json[len(prefix) : -1]
    if not has_frame or not fields:
        raise EncodingError("clientDataJSON is not in the order that the chain reads")
    return fields


def passkey_signature(
    *, authenticator_data: bytes, client_data_fields: bytes, r: int, s: int
) -> bytes:
    """Return ``abi(bytes authenticatorData, bytes clientDataFields, uint256[2])``.

    Raises:
        EncodingError: r or s has no 32-byte encoding.
    """
    return encode(
        ("bytes", "bytes", "uint256[2]"),
        (authenticator_data, client_data_fields, [r, s]),
    )


def decode_passkey_signature(data: bytes) -> tuple[bytes, bytes]:
    """Return ``(authenticatorData, clientDataFields)`` of a ``passkey_signature``.

    Raises:
        EncodingError: not canonical, or authenticator data too short for its fields.
    """
    authenticator_data, fields, _r_and_s = decode(
        ["bytes", "bytes", "uint256[2]"], data
    )
    if len(authenticator_data) < AUTHENTICATOR_DATA_LENGTH:
        raise EncodingError("authenticator data is cut short")
    return authenticator_data, fields


def parse_der_signature(der: bytes) -> tuple[int, int]:
    """Return ``(r, s)`` of a DER-encoded ECDSA signature over P-256.

    High ``s`` is a valid signature, on chain as well: never use signature bytes as
    a key of anything.

    Raises:
        EncodingError: not DER to the last bit (trailing bytes, lengths or integers
            that are not minimal, negative integers), or r, s outside 1 .. order - 1.
    """
    try:
        r, s = decode_dss_signature(der)
    except ValueError as error:
        raise EncodingError("the signature is not DER") from error
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise EncodingError("r or s is outside the order of P-256")
    return r, s


def dummy_passkey_signature(*, origin: str) -> bytes:
    """Return a signature of no key, as long as most real ones, to estimate gas with.

    Chrome adds a member of 110 bytes to one client data in five, at random. That much
    (2,048 gas) is within what bundlers add to their own estimate, so it is not paid for
    by everybody.

    Its flags lack user verification, so that the signer contract refuses it before any
    P-256 arithmetic: a bundler tries it many times, and its figure for verification is
    of no use anyway (the account swallows the refusal).

    Args:
        origin: where the passkey will be used, as clientDataJSON names it.
    """
    fields = f'"origin":"{origin}","crossOrigin":false'
    coordinate = int.from_bytes(b"\xec" * 32, "big")  # below the order of P-256
    return passkey_signature(
        authenticator_data=b"\xec" * 32 + b"\x19" + b"\xec" * 4,
        client_data_fields=fields.encode(),
        r=coordinate,
        s=coordinate,
    )


def safe_signatures(signatures: Sequence[SafeSignature]) -> bytes:
    """Return the signatures sorted by owner: 65 bytes each, then contracts' data.

    Raises:
        EncodingError: two signatures of one owner, or an account's signature that
            is not r || s || v with v 27 or 28.
    """
    ordered = sorted(signatures, key=lambda item: require_address(item.owner))
    if len({item.owner for item in ordered}) != len(ordered):
        raise EncodingError("an owner signed twice")
    fixed, data = b"", b""
    offset = SIGNATURE_LENGTH * len(ordered)
    for item in ordered:
        if item.is_contract:
            owner = uint_bytes(int.from_bytes(item.owner, "big"), 256)
            fixed += owner + uint_bytes(offset + len(data), 256) + CONTRACT_SIGNATURE
            data += uint_bytes(len(item.signature), 256) + item.signature
        else:
            fixed += _account_signature(item.signature)
    return fixed + data


def operation_signature(
    *, valid_after: int, valid_until: int, signatures: Sequence[SafeSignature]
) -> bytes:
    """Return an operation's signature: uint48 || uint48 || the owners' signatures.

    Args:
        valid_after: Unix seconds; 0 is no bound.
        valid_until: Unix seconds; 0 is no bound.

    Raises:
        EncodingError: a time wider than 48 bits, or as ``safe_signatures``.
    """
    times = uint_bytes(valid_after, 48) + uint_bytes(valid_until, 48)
    return times + safe_signatures(signatures)


def _prefix(challenge: bytes) -> bytes:
    text = urlsafe_b64encode(require_bytes32(challenge)).rstrip(b"=")
    return b'{"type":"webauthn.get","challenge":"' + text + b'",'


def _account_signature(signature: bytes) -> bytes:
    if len(signature) != SIGNATURE_LENGTH or signature[-1] not in {27, 28}:
        raise EncodingError("an account's signature is r, s and v of 27 or 28")
    return signature
