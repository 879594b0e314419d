"""``manage.py inspect_operation < op.json``: the hashes of a user operation.

Nothing is read from the database and no network is used: anyone can check what they
are asked to sign with it, or with another implementation.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from onchain.protocol.errors import EncodingError
from onchain.protocol.rpc_fields import read_quantity
from onchain.protocol.safe_operation import safe_operation_hash
from onchain.protocol.types import to_hex
from onchain.protocol.user_operation import from_rpc, user_operation_hash

INPUT_LIMIT = 1024 * 1024  # characters
# An operation is one flat object. The interpreter's own limit cannot be relied on:
# py_ecc raises it so far that deep JSON ends the process.
BRACKETS_LIMIT = 100
TIMES = ("validAfter", "validUntil")


class Command(BaseCommand):
    """Hash an operation and print both hashes as JSON."""

    help = (
        "Reads a v0.7 user operation as ERC-4337 JSON fields with chainId, and "
        "optionally validAfter and validUntil, from standard input; prints its hashes."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print {userOpHash, safeOpHash}, or say what is wrong."""
        try:
            result = _hashes(_read_object(sys.stdin.read(INPUT_LIMIT + 1)))
        except EncodingError as error:
            raise CommandError(f"Not a user operation: {error}.") from error
        self.stdout.write(json.dumps(result, indent=2))


def _read_object(text: str) -> dict[str, object]:
    if len(text) > INPUT_LIMIT:
        raise EncodingError("the input is longer than 1 MiB")
    if text.count("{") + text.count("[") > BRACKETS_LIMIT:
        raise EncodingError("the input is not one flat JSON object")
    try:
        fields = json.loads(text, object_pairs_hook=_unique)
    except EncodingError:
        raise
    except ValueError as error:
        raise EncodingError("the input is not JSON") from error
    if not isinstance(fields, dict):
        raise EncodingError("the input is not a JSON object")
    return fields


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise EncodingError("a field is given twice")
    return fields


def _hashes(fields: dict[str, object]) -> dict[str, str]:
    present = {name: value for name, value in fields.items() if value is not None}
    if "chainId" not in present:
        raise EncodingError("missing field: chainId")
    chain_id = read_quantity(present, "chainId", 256)
    valid_after, valid_until = (
        read_quantity(present, name, 48) if name in present else 0 for name in TIMES
    )
    op = from_rpc({k: v for k, v in present.items() if k not in {"chainId", *TIMES}})
    safe_hash = safe_operation_hash(
        op, chain_id=chain_id, valid_after=valid_after, valid_until=valid_until
    )
    return {
        "userOpHash": to_hex(user_operation_hash(op, chain_id=chain_id)),
        "safeOpHash": to_hex(safe_hash),
    }
