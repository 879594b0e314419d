"""The one error of the protocol layer."""

from __future__ import annotations


class EncodingError(ValueError):
    """A value has no encoding in the format asked for, or bytes are not of it."""
