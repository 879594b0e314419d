"""The flags of authenticator data, by name and in words.

Source: https://www.w3.org/TR/webauthn-3/#authdata-flags.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.authenticator_data import (
    ATTESTED,
    BACKUP_ELIGIBLE,
    BACKUP_STATE,
    EXTENSIONS,
    USER_PRESENT,
    USER_VERIFIED,
)

FLAGS = (
    (USER_PRESENT, "UP", "somebody was present"),
    (USER_VERIFIED, "UV", "your provider reports that it checked who you are"),
    (BACKUP_ELIGIBLE, "BE", "it may be synced"),
    (BACKUP_STATE, "BS", "it is synced now"),
    (ATTESTED, "AT", "it came with its public key"),
    (EXTENSIONS, "ED", "it came with extensions"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One bit of authenticator data."""

    code: str
    meaning: str
    is_set: bool


def flags_of(value: int) -> list[Flag]:
    """Return the named bits of a flags byte."""
    return [
        Flag(code=code, meaning=meaning, is_set=bool(value & bit))
        for bit, code, meaning in FLAGS
    ]
