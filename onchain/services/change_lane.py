"""One change of an account under way at a time (security.md R67).

Every change of owners, threshold, modules, guard or handler is left here as a draft.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, NotRequired, TypedDict

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import User
from onchain.change_errors import MayNotPropose
from onchain.errors import AccountNotLive, NotYourAccount, OwnerChangeInFlight
from onchain.models import Safe, UserOperation
from onchain.models.operation_states import OPEN, Status
from onchain.protocol.types import Address
from onchain.services import drafts, roles, signatories

Kind = UserOperation.Kind
Columns = dict[str, Any]
# Operations that change nothing of the account, and wait for no change of it.
NO_CHANGES = (Kind.PAYMENT, Kind.CANCEL, Kind.CANCEL_RECOVERY)


def in_flight(safes: list[Safe]) -> QuerySet[UserOperation]:
    """Return the changes of accounts that may still be carried out (R67).

    One that was signed and then given up counts too, until the confirmed head has
    passed its end: whoever holds it can still send it (R64).
    """
    under_way = UserOperation.objects.filter(status__in=(Status.DRAFT, *OPEN))
    changes = under_way | UserOperation.objects.given_up()
    return changes.filter(safe__in=safes).exclude(kind__in=NO_CHANGES)


def not_read_yet() -> QuerySet[UserOperation]:
    """Return what is on chain while its account's owners were not read since."""
    behind = Q(safe__owners_synced_block=None) | Q(
        safe__owners_synced_block__lt=F("block_number")
    )
    return UserOperation.objects.filter(behind, status=Status.INCLUDED)


def adding(*, safe: Safe, address: Address) -> UserOperation | None:
    """Return the change that makes an address an owner, until it is read as one."""
    under_way = Q(pk__in=in_flight([safe])) | Q(pk__in=not_read_yet())
    return safe.operations.filter(under_way, new_signer=address).first()


class Asked(TypedDict):
    """Who asks for a change, and all that such an ask says beside the change itself."""

    user: User
    idempotency_key: uuid.UUID
    predecessor: NotRequired[UserOperation | None]  # the version it takes the place of
    period_seconds: NotRequired[int | None]  # how long several people may sign it


def leave(
    *,
    safe: Safe,
    user: User,
    idempotency_key: uuid.UUID,
    predecessor: UserOperation | None = None,
    period_seconds: int | None = None,
    intent: Columns,
    derive: Callable[[Safe], Columns],
    is_urgent: bool = False,
) -> UserOperation:
    """Leave a DRAFT of one change, where no other is under way.

    The account's row is locked while the others are looked for, so that two parallel
    asks cannot both find nothing. Safe to repeat: the same key makes one draft only.

    Args:
        intent: the columns that the person chose.
        derive: refuses what cannot be, and returns the columns that follow from the
            account's rows of now.
        is_urgent: it keeps the account safe, so that it waits for no other change, and
            whoever holds a key of the account may ask for it.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """
    intent = {
        "safe": safe,
        "recipient": Address(safe.address),
        "value_wei": 0,
        **intent,
    }
    with transaction.atomic():
        safe = Safe.objects.select_for_update().get(pk=safe.pk)
        before = drafts.known(user=user, idempotency_key=idempotency_key, **intent)
        if before is not None:
            return before
        _require_proposer(safe, user, any_role=is_urgent)
        derived = derive(safe)
        changes = in_flight([safe]).exclude(pk__in=_versions_before(predecessor))
        if not is_urgent and changes.exists():
            raise OwnerChangeInFlight
        return drafts.leave(
            user=user,
            idempotency_key=idempotency_key,
            predecessor=predecessor,
            period_seconds=period_seconds,
            **intent | derived,
        )


def require_live(safe: Safe) -> None:
    """Refuse where nothing is on chain yet that could be changed.

    Raises:
        AccountNotLive: with words.
    """
    if not safe.is_live:
        raise AccountNotLive


def _require_proposer(safe: Safe, user: User, *, any_role: bool) -> None:
    if not signatories.own_signers(safe=safe, user=user):
        raise NotYourAccount
    if not any_role and not roles.may_propose(safe=safe, user=user):
        raise MayNotPropose


def _versions_before(op: UserOperation | None) -> list[int]:
    """Return the versions that a new one takes the nonce of, or comes after."""
    versions = []
    while op is not None:
        versions.append(op.pk)
        op = op.predecessor
    return versions
