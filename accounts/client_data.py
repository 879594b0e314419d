"""What the browser says it did: clientDataJSON, checked byte by byte.

Sources: https://www.w3.org/TR/webauthn-3/#dictdef-collectedclientdata, its
serialization in section 5.8.1.1, and sections 7.1 (steps 7 to 11) and 7.2 (steps 10 to
14). The Safe signer rebuilds ``{"type":"webauthn.get","challenge":"<text>",`` on chain,
so client data that does not begin with exactly these bytes could sign in but never
authorise anything; registration sees the same serializer and is the place to say so.
"""

from __future__ import annotations

import json

from accounts.errors import MalformedResponse, UnusableKey, WrongSite
from accounts.strict_json import decode_base64url, encode_base64url, parse_object

CLIENT_DATA_BYTES = 1024  # ours: it is paid for on chain

CREATE = "webauthn.create"
GET = "webauthn.get"

FRAMED = "This page was opened inside another site's frame. Nothing was changed."
UNUSABLE_ORDER = (
    "This passkey provider writes its answers in a form that contracts on chain cannot "
    "check: it could sign in, but it could never authorise a payment. Nothing was "
    "changed. Choose another provider, another phone, or a security key."
)


def challenge_of(client_data_json: bytes) -> bytes:
    """Return the challenge that the client data names, to find the open ceremony.

    Raises:
        MalformedResponse: there is none.
    """
    return decode_base64url(_parse(client_data_json).get("challenge"))


def check(
    client_data_json: bytes, *, ceremony: str, challenge: bytes, origin: str
) -> None:
    """Accept client data of this ceremony, challenge and origin; refuse all other.

    Raises:
        MalformedResponse: not such JSON, or of another ceremony or challenge.
        WrongSite: another origin, or within a frame (R12).
        UnusableKey: right in meaning, but in bytes that no signer contract accepts.
    """
    members = _parse(client_data_json)
    challenge_text = encode_base64url(challenge)
    # Steps 7 and 8 (7.1), 10 and 11 (7.2). Compared as text: py_webauthn decodes
    # leniently, so padding, "+/", junk and trailing bits would pass there (measured).
    if members.get("type") != ceremony or members.get("challenge") != challenge_text:
        raise MalformedResponse
    # Steps 9 (7.1), 12 (7.2).
    if members.get("origin") != origin:
        raise WrongSite
    # Steps 10 and 11 (7.1), 13 and 14 (7.2). py_webauthn looks at neither (measured).
    if members.get("crossOrigin", False) is not False or "topOrigin" in members:
        raise WrongSite(FRAMED)
    # Section 5.8.1.1: this order, no whitespace, nothing escaped.
    start = f'{{"type":"{ceremony}","challenge":"{challenge_text}",'
    if not client_data_json.startswith(start.encode()):
        raise UnusableKey(UNUSABLE_ORDER)
    if f'"origin":{json.dumps(origin)}'.encode() not in client_data_json:
        raise UnusableKey(UNUSABLE_ORDER)
    if not client_data_json.endswith(b"}"):
        raise UnusableKey(UNUSABLE_ORDER)


def _parse(client_data_json: bytes) -> dict[str, object]:
    if len(client_data_json) > CLIENT_DATA_BYTES:
        raise MalformedResponse
    # Strict UTF-8 first: json.loads would accept bytes in UTF-16 and UTF-32 (measured).
    try:
        text = client_data_json.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedResponse from error
    return parse_object(text)
