"""People, passkeys, open ceremonies and operators' enrolment links.

A user is nothing but a random handle and a generated name: no e-mail, no password,
no personal data (R11). A credential is the public half of a passkey, the "credential
record" of https://www.w3.org/TR/webauthn-3/#credential-record; its key columns never
change, which a trigger in the database enforces (R7, migration 0002).
"""

from __future__ import annotations

import hashlib
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import Exact, GreaterThanOrEqual
from django.utils.crypto import salted_hmac

from accounts.fields import BytesField

USER_HANDLE_BYTES = 64  # the most that WebAuthn section 5.4.3 allows for user.id
NAME_CHARACTERS = 64  # passkey managers may cut longer names (section 6.4.1)
COORDINATE_BYTES = 32  # P-256


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


class Credential(models.Model):
    """A passkey's public half: WebAuthn's credential record."""

    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="credentials", editable=False
    )
    credential_id = BytesField(
        max_length=1023, unique=True, help_text="16 to 1,023 bytes, chosen by the key."
    )
    public_key_x = BytesField(
        max_length=COORDINATE_BYTES, help_text="32 bytes, big-endian, P-256."
    )
    public_key_y = BytesField(
        max_length=COORDINATE_BYTES, help_text="32 bytes, big-endian, P-256."
    )
    aaguid = models.UUIDField(help_text="The provider's model number, unverified.")
    transports = models.JSONField(
        default=list, help_text="The browser's hints, e.g. internal, hybrid, usb."
    )
    name = models.CharField(max_length=64, blank=True)
    backup_eligible = models.BooleanField(help_text="BE flag: the key may be synced.")
    backup_state = models.BooleanField(help_text="BS flag: the key is synced now.")
    sign_count = models.PositiveBigIntegerField(
        help_text="uint32 of the last assertion; 0 where the key keeps no counter."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="accounts_credential_public_key_once",
                fields=["public_key_x", "public_key_y"],
            ),
            models.CheckConstraint(
                name="accounts_credential_id_width",
                condition=GreaterThanOrEqual(Length("credential_id"), 16),
            ),
            models.CheckConstraint(
                name="accounts_credential_x_width",
                condition=Exact(Length("public_key_x"), COORDINATE_BYTES),
            ),
            models.CheckConstraint(
                name="accounts_credential_y_width",
                condition=Exact(Length("public_key_y"), COORDINATE_BYTES),
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"Passkey {self.pk}"

    @property
    def is_synced(self) -> bool:
        """Whether the provider says that it keeps a copy elsewhere."""
        return self.backup_eligible and self.backup_state


class Enrolment(models.Model):
    """A link that makes one operator's key; only its token's hash is stored (R62)."""

    token_hash = BytesField(
        max_length=32, unique=True, help_text="SHA-256 of the link's token."
    )
    operator_name = models.CharField(max_length=NAME_CHARACTERS)
    is_replacement = models.BooleanField(
        default=False, help_text="Ends the operator's old key and sessions when used."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(
        help_text="15 minutes after the link was printed."
    )
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Enrolment of {self.operator_name}"


class Ceremony(models.Model):
    """An open challenge: deleted by the finish that uses it, or swept once expired."""

    class Purpose(models.TextChoices):
        REGISTRATION = "registration", "Registration"
        AUTHENTICATION = "authentication", "Authentication"
        ENROLMENT = "enrolment", "Operator's enrolment"

    challenge = BytesField(max_length=64, unique=True, help_text="64 random bytes.")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    session_hash = BytesField(
        max_length=32, help_text="SHA-256 of the session key that began it."
    )
    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        help_text="Who was signed in when it began; empty for a stranger.",
    )
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, null=True, blank=True
    )
    user_handle = BytesField(
        max_length=USER_HANDLE_BYTES,
        null=True,
        blank=True,
        help_text="The handle that a new user will get (registration, enrolment).",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(
        db_index=True, help_text="Five minutes later, by the database's clock (R55)."
    )

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "ceremonies"

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ceremony {self.pk}"

    @property
    def new_user_handle(self) -> bytes:
        """The handle of the user that this registration or enrolment will make."""
        if self.user_handle is None:
            raise TypeError(f"{self} makes no user")
        return bytes(self.user_handle)
