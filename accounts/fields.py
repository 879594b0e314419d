"""Bytes columns that read back as ``bytes`` whatever the database driver returns."""

from __future__ import annotations

from django.db import models


class BytesField(models.BinaryField):
    """A binary column whose value is always ``bytes`` (drivers may say memoryview)."""

    # What django-stubs reads to type the attribute of a model.
    _pyi_private_set_type: bytes
    _pyi_private_get_type: bytes

    def from_db_value(
        self, value: bytes | memoryview | None, *_: object
    ) -> bytes | None:
        """Return the stored value as ``bytes``; absent stays absent."""
        return None if value is None else bytes(value)
