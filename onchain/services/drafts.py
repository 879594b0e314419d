"""Leaving what a person asked for as a row, once however often it is sent (R50)."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from accounts.models import User
from onchain.errors import IdempotencyConflict
from onchain.models import Safe, UserOperation
from onchain.services import barriers

logger = logging.getLogger(__name__)


def known(
    *, user: User, idempotency_key: uuid.UUID, **intent: Any
) -> UserOperation | None:
    """Return what this form was used for before, None when it is new.

    Raises:
        IdempotencyConflict: it was used for something else.
    """
    op = UserOperation.objects.filter(
        created_by=user, idempotency_key=idempotency_key
    ).first()
    return op if op is None else _same(op, intent)


def leave(
    *,
    user: User,
    idempotency_key: uuid.UUID,
    predecessor: UserOperation | None,
    safe: Safe,
    **intent: Any,
) -> UserOperation:
    """Leave a DRAFT for a worker to prepare; the same key makes one draft only.

    Args:
        intent: the columns that say what was asked for.

    Raises:
        IdempotencyConflict: the key was used for something else.
        AccountBlocked: no operation of the account can go through.
    """
    intent["safe"] = safe
    before = known(user=user, idempotency_key=idempotency_key, **intent)
    if before is not None:
        return before
    barriers.require_none(safe)
    op, created = UserOperation.objects.get_or_create(
        created_by=user,
        idempotency_key=idempotency_key,
        defaults={**intent, "predecessor": predecessor},
    )
    if created:
        logger.info("operation %s drafted", op.pk)
        return op
    return _same(op, intent)


def _same(op: UserOperation, intent: dict[str, Any]) -> UserOperation:
    if any(getattr(op, name) != value for name, value in intent.items()):
        raise IdempotencyConflict.about(op.noun)
    return op
