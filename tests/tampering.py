"""Rows that somebody changed who can write into the database and drop its triggers."""

from __future__ import annotations

import importlib
from typing import Any

from django.db import connection

from onchain.models import UserOperation

GUARD = importlib.import_module("onchain.migrations._signed_guard")


def tamper(op: UserOperation, **fields: Any) -> None:
    """Change a row, signed or not; the guard is back when the test is over.

    Only for tests inside a transaction.
    """
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        for statement in GUARD.REMOVALS[connection.vendor]:
            cursor.execute(statement)
    UserOperation.objects.filter(pk=op.pk).update(**fields)
