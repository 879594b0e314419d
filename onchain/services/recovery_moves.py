"""How claims move between their states, and when a worker looks at them next."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.utils import timezone

from onchain.models import AccountClaim
from onchain.protocol.recovery_state import RecoveryState
from onchain.protocol.types import checksum_address

logger = logging.getLogger(__name__)

Status = AccountClaim.Status
SOON_SECONDS = 2
RARELY_SECONDS = 60
LOOK_SECONDS: dict[str, int] = {
    Status.COLLECTING: 30,
    Status.WAITING: RARELY_SECONDS,
    Status.DONE: 30,
}


def move(*, row: AccountClaim, target: str, **fields: Any) -> bool:
    """Move a claim on by one conditional UPDATE; False if it was elsewhere by then."""
    columns = {"look_at": in_seconds(SOON_SECONDS)} | fields
    if not AccountClaim.objects.transition(
        row.pk, source=row.status, target=target, **columns
    ):
        return False
    logger.info("claim %s is %s", row.pk, target)
    row.refresh_from_db()
    return True


def stop(*, row: AccountClaim, code: str) -> None:
    """End a claim with the code of its words."""
    move(row=row, target=Status.STOPPED, failure_code=code)


def later(*, row: AccountClaim, seconds: int | None = None, **fields: Any) -> None:
    """Leave a claim where it is, to be looked at again; the fields are written."""
    wait = LOOK_SECONDS.get(row.status, SOON_SECONDS) if seconds is None else seconds
    rows = AccountClaim.objects.filter(pk=row.pk, status=row.status)
    rows.update(look_at=in_seconds(wait), **fields)
    row.refresh_from_db()


def in_seconds(seconds: int) -> Any:
    """Return the moment that comes after so many seconds."""
    return timezone.now() + timedelta(seconds=seconds)


def guardian_columns(state: RecoveryState) -> dict[str, Any]:
    """Return the columns that say who may approve, and how many must."""
    least = 0 if state.request is None else state.request.approvals + 1
    return {
        "guardians": [checksum_address(guardian) for guardian in state.guardians],
        "guardian_threshold": state.guardian_threshold,
        "needed": max(state.guardian_threshold, least),
        "approved": [checksum_address(guardian) for guardian in state.approved],
    }
