"""Rows that tests need, one function each; every argument is a field to set."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from accounts.models import Credential, User, generated_name
from tests.soft_authenticator import BE, BS, SoftAuthenticator


def make_user(**fields: Any) -> User:
    """Return a stored person without any passkey."""
    user_handle = secrets.token_bytes(64)
    defaults = {"user_handle": user_handle, "name": generated_name(user_handle)}
    return User.objects.create(**defaults | fields)


def make_operator(**fields: Any) -> User:
    """Return a stored operator without any passkey."""
    return make_user(
        **{"name": f"operator {secrets.token_hex(4)}"} | fields, is_staff=True
    )


def make_credential(
    passkey: SoftAuthenticator | None = None, **fields: Any
) -> Credential:
    """Return the stored public half of a passkey, by default of a new person's new one."""
    passkey = passkey or SoftAuthenticator()
    user = fields.pop("user", None) or make_user()
    passkey.user_handle = user.user_handle
    defaults = {
        "user": user,
        "credential_id": passkey.credential_id,
        "public_key_x": passkey.x,
        "public_key_y": passkey.y,
        "aaguid": uuid.UUID(bytes=passkey.aaguid),
        "transports": passkey.transports,
        "backup_eligible": bool(passkey.flags & BE),
        "backup_state": bool(passkey.flags & BS),
        "sign_count": passkey.sign_count,
    }
    return Credential.objects.create(**defaults | fields)
