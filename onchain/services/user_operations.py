"""Operations as people ask for them: drafting, withdrawing, preparing again."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from onchain.errors import NotAwaitingSignature
from onchain.models import Chain, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.types import Address
from onchain.services import drafts, gas, redrafts

logger = logging.getLogger(__name__)

DRAFT_MINUTES = 15  # an unprepared draft is given up (R65)
REPEAT_MINUTES = 10  # the same payment within this time is asked about (R65)
# States in which the payment was or may still be made.
LIVE = (
    Status.DRAFT,
    Status.AWAITING_SIGNATURES,
    Status.SIGNED,
    Status.SUBMITTED,
    Status.INCLUDED,
)
UNDER_WAY = tuple(status for status in LIVE if status != Status.INCLUDED)


def draft(
    *,
    safe: Safe,
    user: User,
    recipient: Address,
    value_wei: int,
    idempotency_key: uuid.UUID,
    predecessor: UserOperation | None = None,
    period_seconds: int | None = None,
) -> UserOperation:
    """Leave a DRAFT for a worker to prepare; the same key makes one draft only.

    Args:
        period_seconds: how long it may be signed, where several have to.

    Raises:
        IdempotencyConflict: the key was used for another payment.
        AccountBlocked: no operation of the account can go through.
    """
    return drafts.leave(
        user=user,
        idempotency_key=idempotency_key,
        predecessor=predecessor,
        safe=safe,
        kind=UserOperation.Kind.PAYMENT,
        recipient=recipient,
        value_wei=value_wei,
        period_seconds=period_seconds,
    )


def was_drafted(*, user: User, idempotency_key: uuid.UUID) -> bool:
    """Whether the person's form with this key was taken before."""
    drafts = UserOperation.objects.filter(
        created_by=user, idempotency_key=idempotency_key
    )
    return drafts.exists()


def recent_twin(
    *, safe: Safe, recipient: Address, value_wei: int, idempotency_key: uuid.UUID
) -> UserOperation | None:
    """Return the same payment made under another key a short while ago, if any."""
    since = timezone.now() - timedelta(minutes=REPEAT_MINUTES)
    # One that was signed and given up may get through all the same (R64).
    live = safe.operations.filter(status__in=LIVE) | safe.operations.given_up()
    twins = live.filter(
        kind=UserOperation.Kind.PAYMENT,
        recipient=recipient,
        value_wei=value_wei,
        created_at__gte=since,
    )
    return twins.exclude(idempotency_key=idempotency_key).first()


def withdraw(*, op: UserOperation) -> None:
    """Give up an operation that not all who must have signed.

    Where nobody signed it, its nonce is free again. Where somebody did, this is no more
    than the promise not to send it: its nonce stays held until it is used or the
    operation's time is over (security.md R66).

    Raises:
        NotAwaitingSignature: all signed it, or it ended elsewhere.
    """
    # In this order: a draft may become ready to sign in between, never the reverse.
    for source in (Status.DRAFT, Status.AWAITING_SIGNATURES):
        if UserOperation.objects.transition(
            op.pk, source=source, target=Status.WITHDRAWN
        ):
            logger.info("operation %s withdrawn", op.pk)
            return
    op.refresh_from_db(fields=["status"])
    if op.status != Status.WITHDRAWN:
        raise NotAwaitingSignature.about(op.noun)


def can_prepare_again(op: UserOperation) -> bool:
    """Whether the same payment can be tried again without being made twice (R64).

    One that waits can be when the chain asks for more than it may pay (R21).
    """
    if op.kind == UserOperation.Kind.CANCEL:
        return False  # asked for again where it was: at what it cancels
    if op.status == Status.AWAITING_SIGNATURES:
        return gas.is_outgrown(op)
    return op.status in (Status.EXPIRED, Status.REJECTED, Status.WITHDRAWN)


def prepare_again(
    *, op: UserOperation, user: User, idempotency_key: uuid.UUID
) -> UserOperation:
    """Draft the same intent anew; preparation keeps the nonce where it must.

    The versions of an operation are a line, not a tree: when a newer one is under way,
    it is returned, and when the newest has ended, that is the one that is renewed. One
    that the chain outgrew while it waited is withdrawn with it: whatever anybody signed
    of it shares its nonce with the new one, and has to be signed again.

    Raises:
        NotAwaitingSignature: it was or may still be carried out.
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: the owners cannot be changed so any more.
    """
    with transaction.atomic():
        Safe.objects.select_for_update().get(pk=op.safe_id)
        newest = _newest(op)
        if newest != op and newest.status in UNDER_WAY and not gas.is_outgrown(newest):
            return newest
        if not can_prepare_again(newest):
            raise NotAwaitingSignature.about(newest.noun)
        if newest.status == Status.AWAITING_SIGNATURES:
            withdraw(op=newest)
        return _draft_again(newest, user=user, idempotency_key=idempotency_key)


def _draft_again(
    op: UserOperation, *, user: User, idempotency_key: uuid.UUID
) -> UserOperation:
    if op.is_change:
        return redrafts.again(op=op, user=user, idempotency_key=idempotency_key)
    return draft(
        safe=op.safe,
        user=user,
        recipient=Address(op.recipient),
        value_wei=op.value_wei,
        idempotency_key=idempotency_key,
        predecessor=op,
        period_seconds=op.period_seconds,
    )


def _newest(op: UserOperation) -> UserOperation:
    newest = UserOperation.objects.get(pk=op.pk)
    while (successor := newest.successors.first()) is not None:
        newest = successor
    return newest


def expire_drafts() -> None:
    """Give up drafts that could not be prepared in time; nothing was ever signed."""
    since = timezone.now() - timedelta(minutes=DRAFT_MINUTES)
    stale = UserOperation.objects.filter(status=Status.DRAFT, created_at__lt=since)
    for pk in stale.values_list("pk", flat=True):
        UserOperation.objects.transition(
            pk,
            source=Status.DRAFT,
            target=Status.EXPIRED,
            failure_code="not-prepared",
        )


def expire_operations(*, chain: Chain) -> None:
    """End operations whose validity the confirmed chain has left behind (R55)."""
    if chain.confirmed_timestamp is None:
        return
    ended = UserOperation.objects.open().filter(
        safe__chain=chain, valid_until__lt=chain.confirmed_timestamp
    )
    for pk, status in ended.values_list("pk", "status"):
        if UserOperation.objects.transition(
            pk, source=status, target=Status.EXPIRED, failure_code="expired"
        ):
            logger.info("operation %s expired", pk)
