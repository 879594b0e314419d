"""People, passkeys, ceremonies, sessions, and what people are told about them."""

from __future__ import annotations

from accounts.models.ceremony import Ceremony
from accounts.models.credential import Credential
from accounts.models.email import EmailAddress, OutgoingMail
from accounts.models.enrolment import Enrolment
from accounts.models.outsider import Outsider
from accounts.models.security_event import SecurityEvent
from accounts.models.session import KnownBrowser, Session
from accounts.models.user import (
    NAME_CHARACTERS,
    USER_HANDLE_BYTES,
    User,
    generated_name,
)

__all__ = [
    "NAME_CHARACTERS",
    "USER_HANDLE_BYTES",
    "Ceremony",
    "Credential",
    "EmailAddress",
    "Enrolment",
    "KnownBrowser",
    "OutgoingMail",
    "Outsider",
    "SecurityEvent",
    "Session",
    "User",
    "generated_name",
]
