"""The states of a user operation, and reads that are named for what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

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


class Carrier(models.TextChoices):
    """Who was asked last to bring an operation into a block."""

    BUNDLER = "bundler", "Bundler"
    SECOND_BUNDLER = "second", "Second bundler"
    RELAYER = "relayer", "This site's relayer"


# States that hold a nonce: no two operations of an account may share one (R65).
OPEN = (Status.AWAITING_SIGNATURES, Status.SIGNED, Status.SUBMITTED)
# States in which the worker, the bundler or the chain has the next move.
AWAITING_NETWORK = (Status.DRAFT, Status.SIGNED, Status.SUBMITTED)


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

        Besides the open ones: whatever was signed and then rejected may still be
        included until the confirmed head has passed its ``valid_until``.
        """
        signed = Q(status=Status.REJECTED, signed_at__isnull=False)
        return self.filter(Q(status__in=OPEN) | signed)
