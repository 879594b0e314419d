"""Test ETH, on the local chain only (security.md R70)."""

from __future__ import annotations

import uuid

from accounts.models import User
from onchain.errors import IdempotencyConflict
from onchain.models import RelayerTransaction, Safe


def request_test_eth(
    *, safe: Safe, user: User, value_wei: int, idempotency_key: uuid.UUID
) -> RelayerTransaction:
    """Queue test ETH for an account; the same key asks for it once only.

    Raises:
        IdempotencyConflict: the key was used for something else.
    """
    row, _created = RelayerTransaction.objects.get_or_create(
        idempotency_key=idempotency_key,
        defaults={
            "chain": safe.chain,
            "purpose": RelayerTransaction.Purpose.FAUCET,
            "requested_by": user,
            "to": safe.address,
            "value_wei": value_wei,
        },
    )
    if row.to != safe.address or row.requested_by_id != user.pk:
        raise IdempotencyConflict
    return row
