"""The curve P-256: its order, and which public keys are points on it.

Sources: FIPS 186-5 and SEC 1.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from onchain.protocol.abi import keccak
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import PublicKey, uint_bytes

# The order of the curve's base point.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def require_public_key(public_key: PublicKey) -> PublicKey:
    """Return the same key: a point on the curve, so that somebody can sign for it.

    Raises:
        EncodingError: a coordinate has no 32-byte encoding, or the point is not on
            the curve. The point at infinity has no coordinates and fails as (0, 0).
    """
    point = b"\x04" + uint_bytes(public_key.x, 256) + uint_bytes(public_key.y, 256)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise EncodingError("the public key is not a point on P-256") from error
    return public_key


def key_fingerprint(public_key: PublicKey) -> str:
    """Return what a person tells a key by: 16 hex digits in groups of four.

    The first and the last 4 bytes of keccak-256(x || y), each 32 bytes big-endian.
    ``static/js/signing.js`` computes the same before a new owner is signed for; what
    binds the whole key there is its signer's address.

    Raises:
        EncodingError: a coordinate has no 32-byte encoding.
    """
    digest = keccak(uint_bytes(public_key.x, 256) + uint_bytes(public_key.y, 256))
    digits = (digest[:4] + digest[-4:]).hex()
    return " ".join(digits[start : start + 4] for start in range(0, 16, 4))
