"""Many tries on the same rows: one preparation, and nothing of one try in the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def undone() -> Iterator[None]:
    """Take back every row that is written inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
