"""Why an account pays its own fee."""

from __future__ import annotations

from django.db import models


class Unsponsored(models.TextChoices):
    """The reasons; each label is the sentence that people read on the review.

    None of them stands where the operator sponsors nobody at all.
    """

    USED_UP = "used-up", "Sponsorship is used up for today."
    NEWCOMERS_USED_UP = (
        "newcomers-used",
        "Today's sponsorship of new accounts is used up.",
    )
    SHARE_USED_UP = "share-used-up", "This account's share of today is used up."
    TOO_DEAR = "too-dear", "It costs more than is sponsored."
    PAUSED = "paused", "Sponsorship is paused."
    DEPOSIT_LOW = "deposit-low", "The sponsor's deposit is low."
    PROPOSALS_OFF = "proposals-off", "What several people sign is not sponsored."
    PROPOSALS_FULL = "proposals-full", "Three proposals are sponsored already."
    DECLINED = "declined", "The sponsor declined this one."
    AWAY = "away", "The sponsor does not answer."
    UNUSABLE = "unusable", "The sponsor cannot pay at the moment."
