"""Changes of the accounts tables."""

from __future__ import annotations
