"""Model fields for addresses, 32-byte words and 256-bit integers.

Python sees ``bytes`` and ``int`` only, whatever the database driver returns. A
value of another type or width never reaches the database: it is refused with
``EncodingError`` when it is bound, and with ``ValidationError`` by forms,
``full_clean`` and deserialisers. A check constraint of the column holds the width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from onchain.protocol.errors import EncodingError
from onchain.protocol.types import (
    UINT256_MAX,
    Address,
    Bytes32,
    checksum_address,
    require_address,
    require_bytes32,
    to_address,
    to_bytes32,
    to_hex,
    uint_bytes,
)

UINT256_DIGITS = 64


class _FixedWidthField(models.Field):
    """A column whose every value has the same length, held by the database too."""

    empty_strings_allowed = False  # an unset value is None, not "" or b""
    stored_length: int

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        column = connection.ops.quote_name(str(self.column))
        return f"length({column}) = {self.stored_length}"


class HexFormField(forms.CharField):
    """Text of one of the byte fields below; cleans to bytes."""

    def __init__(self, *, field: _BytesField, **kwargs: Any) -> None:
        self.field = field
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return None if text in self.empty_values else self.field.to_python(text)

    def prepare_value(self, value: Any) -> Any:
        return self.field.to_text(value) if isinstance(value, bytes) else value


class _BytesField(_FixedWidthField, models.BinaryField):
    """Fixed-width bytes; text is 0x and hex, at the edges only."""

    parse: Callable[[str], bytes]
    require: Callable[[bytes], bytes]
    to_text: Callable[[Any], str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if kwargs.pop("editable", False) is not True:
            kwargs["editable"] = False
        return name, path, args, kwargs

    def from_db_value(self, value: Any, *_args: Any) -> bytes | None:
        return None if value is None else bytes(value)

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return None if value is None else self.require(_plain_bytes(value))

    def to_python(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            if isinstance(value, str):
                return self.parse(value)
            return self.require(_plain_bytes(value))
        except EncodingError as error:
            raise ValidationError(_sentence(error), code="invalid") from error

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else self.to_text(value)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(
            **{"form_class": HexFormField, "field": self, **kwargs}
        )


class AddressField(_BytesField):
    """An account or contract address: ``Address``, 20 bytes."""

    if TYPE_CHECKING:  # what django-stubs reads
        _pyi_private_set_type: bytes
        _pyi_private_get_type: Address

    description = "Address (20 bytes)"
    stored_length = 20

    parse = staticmethod(to_address)
    require = staticmethod(require_address)
    to_text = staticmethod(checksum_address)


class Bytes32Field(_BytesField):
    """A hash or another word: ``Bytes32``, 32 bytes."""

    if TYPE_CHECKING:
        _pyi_private_set_type: bytes
        _pyi_private_get_type: Bytes32

    description = "Word (32 bytes)"
    stored_length = 32

    parse = staticmethod(to_bytes32)
    require = staticmethod(require_bytes32)
    to_text = staticmethod(to_hex)


class Uint256Field(_FixedWidthField):
    """An unsigned 256-bit integer: ``int``.

    Stored as 64 lowercase hex digits, so that equality, order and ranges are exact
    and the same on SQLite and PostgreSQL. The database cannot do arithmetic on it:
    compute in Python and write the result.
    """

    if TYPE_CHECKING:
        _pyi_private_set_type: int
        _pyi_private_get_type: int

    description = "Unsigned 256-bit integer"
    stored_length = UINT256_DIGITS
    default_validators = [MinValueValidator(0), MaxValueValidator(UINT256_MAX)]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = UINT256_DIGITS
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"]
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "CharField"

    def from_db_value(self, value: Any, *_args: Any) -> int | None:
        return None if value is None else int(value, 16)

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return None if value is None else uint_bytes(value, 256).hex()

    def to_python(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            number = _parse_integer(value) if isinstance(value, str) else value
            uint_bytes(number, 256)
        except EncodingError as error:
            raise ValidationError(_sentence(error), code="invalid") from error
        return number

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def formfield(self, **kwargs: Any) -> Any:
        numbers = {
            "form_class": forms.IntegerField,
            "min_value": 0,
            "max_value": UINT256_MAX,
            "widget": forms.TextInput(attrs={"inputmode": "numeric"}),
        }
        return super().formfield(**{**numbers, **kwargs})


def _plain_bytes(value: Any) -> bytes:
    """Return bytes of any buffer; drivers and callers differ in what they hold."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise EncodingError(f"not bytes: {type(value).__name__}")
    return bytes(value)


def _parse_integer(text: str) -> int:
    """Return the integer of decimal digits, or of hex digits after 0x."""
    digits, base = (text[2:], 16) if text.startswith("0x") else (text, 10)
    if not digits.isascii() or not digits.isalnum() or len(digits) > 78:
        raise EncodingError("not an unsigned integer")
    try:
        return int(digits, base)
    except ValueError as error:
        raise EncodingError("not an unsigned integer") from error


def _sentence(error: EncodingError) -> str:
    text = str(error)
    return f"{text[0].upper()}{text[1:]}."
