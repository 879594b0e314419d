"""One passkey for several accounts: one press, one operation for each account.

The chain takes one signature per account, so there is nothing to batch; what makes the
operations one round is their idempotency key. They share all of it but the last 32
bits, which hold the place, so that the round needs no row of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Credential, User
from onchain.errors import IdempotencyConflict, OwnerChangeRefused
from onchain.models import Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.services import owner_changes

PLACES = 2**32  # the part of the key that tells the operations of a round apart
# The person has the next move, or will have it as soon as a worker is done.
TO_SIGN = (Status.DRAFT, Status.AWAITING_SIGNATURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an operation stands in its round."""

    number: int  # from 1
    total: int
    next: UserOperation | None  # the next one to sign, if any is left


def draft_round(
    *,
    safes: Sequence[Safe],
    user: User,
    credential: Credential,
    idempotency_key: uuid.UUID,
) -> list[UserOperation]:
    """Leave a DRAFT for each account, all of them or none.

    Safe to repeat: the same key makes the same round only.

    Raises:
        IdempotencyConflict: the key was used for other accounts or another passkey.
        OwnerChangeRefused: with words that name the account; nothing was drafted.
    """
    ordered = sorted(safes, key=lambda safe: safe.pk)
    with transaction.atomic():
        before = list(_round(user.pk, idempotency_key))
        if before and [op.safe_id for op in before] != [safe.pk for safe in ordered]:
            raise IdempotencyConflict.about(before[0].noun)
        return [
            _draft(safe, user, credential, _key(idempotency_key, place))
            for place, safe in enumerate(ordered)
        ]


def _draft(
    safe: Safe, user: User, credential: Credential, key: uuid.UUID
) -> UserOperation:
    try:
        return owner_changes.draft_addition(
            safe=safe, user=user, credential=credential, idempotency_key=key
        )
    except OwnerChangeRefused as error:
        raise type(error)(f"{safe.name}: {error}") from error


def place_of(op: UserOperation) -> Place:
    """Return where an operation stands among those drafted with one press."""
    if op.kind != UserOperation.Kind.ADD_PASSKEY:
        return Place(number=1, total=1, next=None)  # nothing else goes in rounds
    members = list(_round(op.created_by_id, op.idempotency_key))
    at = members.index(op)
    to_sign = [
        member
        for member in members[at + 1 :] + members[:at]
        if member.status in TO_SIGN
    ]
    return Place(
        number=at + 1, total=len(members), next=to_sign[0] if to_sign else None
    )


def _key(key: uuid.UUID, place: int) -> uuid.UUID:
    return uuid.UUID(int=key.int // PLACES * PLACES + place)


def _round(user_id: int, key: uuid.UUID) -> QuerySet[UserOperation]:
    """Return the operations of a round, in the order of their places."""
    return UserOperation.objects.filter(
        created_by_id=user_id,
        kind=UserOperation.Kind.ADD_PASSKEY,
        idempotency_key__range=(_key(key, 0), _key(key, PLACES - 1)),
    ).order_by("idempotency_key")
