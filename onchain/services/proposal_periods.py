"""How long several people may sign one operation (security.md R20, R57)."""

from __future__ import annotations

from django.db import models

from onchain.models import UserOperation

HOUR = 3_600  # seconds
DAY = 24 * HOUR


class Period(models.IntegerChoices):
    """The lives to choose from, in seconds."""

    ONE_HOUR = HOUR, "1 hour"
    EIGHT_HOURS = 8 * HOUR, "8 hours"
    ONE_DAY = DAY, "1 day"
    THREE_DAYS = 3 * DAY, "3 days"
    SEVEN_DAYS = 7 * DAY, "7 days"
    THIRTY_DAYS = 30 * DAY, "30 days"


USUAL = Period.ONE_DAY


def life_seconds(op: UserOperation, *, alone: int) -> int:
    """Return how long an operation holds once it is prepared.

    What one owner signs holds for minutes, whatever was chosen: the threshold may have
    dropped since the form was sent.

    Args:
        alone: the life, in seconds, of what one owner signs.
    """
    if op.safe.threshold == 1:
        return alone
    return USUAL if op.period_seconds is None else op.period_seconds
