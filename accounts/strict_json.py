"""JSON and base64url, read strictly: one text has one meaning or is refused.

JSON is RFC 8259 without what Python adds to it (NaN, Infinity) and without duplicate
members. Base64url is RFC 4648 section 5 without padding, as WebAuthn section 3 asks:
no other alphabet, no whitespace, no bits left over.
"""

from __future__ import annotations

import base64
import json
import re
from typing import NoReturn

from accounts.errors import MalformedResponse

BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z", re.ASCII)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parse_object(text: str) -> dict[str, object]:
    """Return the one JSON object that ``text`` is.

    Raises:
        MalformedResponse: anything else, including text nested too deeply to read.
    """
    try:
        value = json.loads(
            text, object_pairs_hook=_members, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise MalformedResponse from error
    if not isinstance(value, dict):
        raise MalformedResponse
    return value


def decode_base64url(value: object) -> bytes:
    """Return the bytes behind an unpadded base64url string.

    Raises:
        MalformedResponse: not a string, another alphabet, padding, or leftover bits.
    """
    if not isinstance(value, str) or BASE64URL.match(value) is None:
        raise MalformedResponse
    try:
        decoded = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except ValueError as error:
        raise MalformedResponse from error
    if encode_base64url(decoded) != value:
        raise MalformedResponse
    return decoded


def encode_base64url(value: bytes) -> str:
    """Return unpadded base64url text."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
