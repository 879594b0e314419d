"""P-256 public keys and DER signatures, checked before anything is built on them.

Sources: FIPS 186-5 and SEC 1 for the curve, RFC 3279 section 2.2.3 for
Ecdsa-Sig-Value, ITU-T X.690 section 10 for DER.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

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
    if encode_dss_signature(r, s) != der:
        raise EncodingError("the signature is not canonical DER")
    return r, s
