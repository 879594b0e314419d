"""The states of a user operation, and reads that are named for what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from onchain.models.safe import Safe
from onchain.models.transitions import TransitionQuerySet

if TYPE_CHECKING:
    from accounts.models import User
    from onchain.models.user_operation import UserOperation  # noqa: F401 -- in quotes


class Status(models.TextChoices):
    """Where an operation stands; the docstring of UserOperation has the moves."""

    DRAFT = "draft", "Preparing"
    AWAITING_SIGNATURES = "awaiting_signatures", "Ready to sign"
    SIGNED = "signed", "Signed"
    SUBMITTED = "submitted", "Sent"
    INCLUDED = "included", "Included"
    REVERTED = "reverted", "Failed on chain"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"
    WITHDRAWN = "withdrawn", "Withdrawn"
    REPLACED = "replaced", "Replaced"


# From each state to those it may move to; the docstring of UserOperation says why.
MOVES = {
    Status.DRAFT: {
        Status.AWAITING_SIGNATURES,
        Status.REJECTED,
        Status.WITHDRAWN,
        Status.EXPIRED,
    },
    Status.AWAITING_SIGNATURES: {
        Status.SIGNED,
        Status.WITHDRAWN,
        Status.EXPIRED,
        Status.REPLACED,
        Status.INCLUDED,
        Status.REVERTED,
    },
    Status.SIGNED: {
        Status.SUBMITTED,
        Status.REJECTED,
        Status.INCLUDED,
        Status.REVERTED,
        Status.EXPIRED,
        Status.REPLACED,
    },
    Status.SUBMITTED: {
        Status.INCLUDED,
        Status.REVERTED,
        Status.REJECTED,
        Status.EXPIRED,
        Status.REPLACED,
    },
    Status.INCLUDED: {Status.SUBMITTED, Status.REPLACED},
    Status.REVERTED: {Status.SUBMITTED, Status.REPLACED},
    Status.REJECTED: {Status.INCLUDED, Status.REVERTED, Status.REPLACED},
    Status.EXPIRED: {Status.INCLUDED, Status.REVERTED},
    Status.REPLACED: {
        Status.INCLUDED,
        Status.REVERTED,
        Status.SUBMITTED,
        Status.AWAITING_SIGNATURES,
    },
    Status.WITHDRAWN: {Status.INCLUDED, Status.REVERTED},
}


class Carrier(models.TextChoices):
    """Who was asked last to bring an operation into a block."""

    BUNDLER = "bundler", "Bundler"
    SECOND_BUNDLER = "second", "Second bundler"
    RELAYER = "relayer", "This site's relayer"


# States that hold a nonce: no two operations of an account may share one (R65).
OPEN = (Status.AWAITING_SIGNATURES, Status.SIGNED, Status.SUBMITTED)
# States in which the worker, the bundler or the chain has the next move.
AWAITING_NETWORK = (Status.DRAFT, Status.SIGNED, Status.SUBMITTED)


# States in which somebody's signatures outlive what this site does with it.
GIVEN_UP = (Status.REJECTED, Status.WITHDRAWN, Status.EXPIRED)
EVER_SIGNED = Q(first_signed_at__isnull=False) | Q(signed_at__isnull=False)


class UserOperationQuerySet(TransitionQuerySet["UserOperation"]):
    """Reads of operations, named for what they mean."""

    def visible_to(self, user: User) -> Self:
        """The operations of the accounts that the person's passkeys own."""
        return self.filter(safe__in=Safe.objects.visible_to(user))

    def open(self) -> Self:
        """Prepared operations that may still be included."""
        return self.filter(status__in=OPEN)

    def holding_nonces(self) -> Self:
        """Operations whose nonce must not be given to another payment (R64).

        Besides the open ones: whatever somebody signed and this site then gave up.
        """
        return self.filter(status__in=OPEN) | self.given_up()

    def given_up(self) -> Self:
        """What anybody signed and this site gave up, while it may still be included.

        That is until the confirmed head has passed its ``valid_until``, or another
        operation was carried out at its nonce. One signature of several counts like all
        of them: the others may be given elsewhere (R66).
        """
        confirmed = F("safe__chain__confirmed_timestamp")
        is_held = Q(safe__chain__confirmed_timestamp=None) | Q(valid_until=None)
        is_held |= Q(valid_until__gte=confirmed)
        settled = self.model.objects.filter(
            safe=OuterRef("safe"),
            nonce_key=OuterRef("nonce_key"),
            nonce_sequence=OuterRef("nonce_sequence"),
            status__in=(Status.INCLUDED, Status.REVERTED),
        )
        return self.filter(EVER_SIGNED & is_held, status__in=GIVEN_UP).exclude(
            Exists(settled)
        )
