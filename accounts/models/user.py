"""People and operators.

A user is nothing but a random handle and a generated name: no password, no personal
data (R11). An e-mail address for alerts is optional and stands elsewhere.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import Exact
from django.utils.crypto import salted_hmac

from accounts.fields import BytesField

USER_HANDLE_BYTES = 64  # the most that WebAuthn section 5.4.3 allows for user.id
NAME_CHARACTERS = 64  # passkey managers may cut longer names (section 6.4.1)


def generated_name(user_handle: bytes) -> str:
    """Return the name a passkey manager lists, such as ``Latchkey 7F3A-91C4``.

    It follows from the random handle, so it says nothing about a person and the same
    text appears in the browser's list, in our pages and in the admin.
    """
    digits = hashlib.sha256(b"name" + user_handle).hexdigest()[:8].upper()
    return f"Latchkey {digits[:4]}-{digits[4:]}"


class UserManager(BaseUserManager["User"]):
    """Makes people and operators; there is no password to set and no superuser."""

    def create_person(self, *, user_handle: bytes) -> User:
        """Return a new person with the generated name of ``user_handle``."""
        name = generated_name(user_handle)
        return self.create(user_handle=user_handle, name=name)

    def create_operator(self, *, user_handle: bytes, name: str) -> User:
        """Return a new operator. Only an enrolment link leads here."""
        return self.create(user_handle=user_handle, name=name, is_staff=True)


class User(AbstractBaseUser):
    """A person or an operator, known by a random handle."""

    password = None  # type: ignore[assignment]
    last_login = None

    user_handle = BytesField(
        max_length=USER_HANDLE_BYTES,
        unique=True,
        help_text="64 random bytes; WebAuthn's user.id.",
    )
    name = models.CharField(
        max_length=NAME_CHARACTERS,
        unique=True,
        help_text="Generated for people, chosen on the terminal for operators.",
    )
    is_staff = models.BooleanField(
        default=False, help_text="An operator: may look at everything in the admin."
    )
    is_active = models.BooleanField(default=True)
    session_epoch = models.PositiveIntegerField(
        default=0, help_text="Adding one ends every session of this user."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "name"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="accounts_user_handle_width",
                condition=Exact(Length("user_handle"), USER_HANDLE_BYTES),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def has_usable_password(self) -> bool:
        """Say no: nobody has a password, and templates ask."""
        return False

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Operators may view; nobody may add, change or delete (R26)."""
        codename = perm.rpartition(".")[2]
        return self.is_active and self.is_staff and codename.startswith("view_")

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        """Say whether every permission of the list is held."""
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        """Operators see every app of the admin."""
        return self.is_active and self.is_staff

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django derives this from the password; ours follows the epoch. Django calls
        # this one method for the current key and for SECRET_KEY_FALLBACKS alike.
        text = f"{self.user_handle.hex()}:{self.session_epoch}"
        salt = "accounts.models.User.session_epoch"
        return salted_hmac(salt, text, secret=secret, algorithm="sha256").hexdigest()
