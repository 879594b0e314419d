"""Finishing a recovery once its delay is over, by itself or when somebody asks.

Anybody may do that on chain. This site does it for claims that were made here, a second
after the chain allows it, and never while the owners' cancellation is signed or sent:
whoever still has a key of the account decides first.
"""

from __future__ import annotations

import logging

from django.db.models import Q
from django.utils import timezone

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.models import (
    AccountClaim,
    Chain,
    RelayerTransaction,
    Safe,
    UserOperation,
)
from onchain.models.operation_states import Status as OperationStatus
from onchain.protocol.recovery import finalize_recovery_call
from onchain.protocol.recovery_state import RecoveryState
from onchain.protocol.types import Address
from onchain.services import (
    module_codes,
    recovery_moves,
    recovery_reading,
    recovery_relaying,
)
from onchain.services.deployment_batches import GAS_MARGIN_PERCENT

logger = logging.getLogger(__name__)

Status = AccountClaim.Status
Relayed = RelayerTransaction.Status
Purpose = RelayerTransaction.Purpose
CANCEL_SECONDS = 15  # how soon it is looked at again while a cancellation is under way
RETRY_SECONDS = 30
NEAR_SECONDS = 120  # this close to the end, a claim is looked at often
UNDER_WAY = "cancel-under-way"


def is_being_cancelled(*, safe: Safe) -> bool:
    """Whether owners have signed that the request ends, and the chain has not said."""
    sent = UserOperation.objects.filter(
        safe=safe, status__in=[OperationStatus.SIGNED, OperationStatus.SUBMITTED]
    )
    cancelling = Q(kind=UserOperation.Kind.CANCEL_RECOVERY) | Q(cancels_recovery=True)
    return sent.filter(cancelling).exists()


def wait(
    *, row: AccountClaim, state: RecoveryState, node: Node, relayer: Address
) -> None:
    """Keep the time as the chain has it; once the delay is over, queue the end.

    Safe to repeat and to run beside itself: one transaction of a claim at a time.

    Raises:
        TransientClientError: the node is out of reach; nothing was queued.
    """
    request = state.request
    if row.status != Status.WAITING or request is None:
        return
    left = request.execute_after - state.timestamp
    if left >= 0:  # a second later, so that no clock of a block is too early
        seconds = 5 if left < NEAR_SECONDS else recovery_moves.RARELY_SECONDS
        recovery_moves.later(
            row=row,
            seconds=min(seconds, left + 1),
            execute_after=request.execute_after,
        )
    elif Address(row.module) in module_codes.changed(row.safe.chain):
        recovery_moves.later(row=row)
    elif is_being_cancelled(safe=row.safe):
        recovery_moves.later(
            row=row, seconds=CANCEL_SECONDS, execute_after=request.execute_after
        )
    elif not recovery_reading.would_finish(row=row, state=state, node=node):
        recovery_moves.stop(row=row, code="would-not-finish")
    else:
        _queue(row, node, relayer)


def _queue(row: AccountClaim, node: Node, relayer: Address) -> None:
    call = finalize_recovery_call(
        module=Address(row.module), account=Address(row.safe.address)
    )
    try:
        estimate = node.estimate_gas(
            sender=relayer, to=call.to, value=0, data=call.data
        )
    except ClientError as error:
        if error.code != "execution-reverted":
            raise TransientClientError(error.code) from error
        logger.warning("claim %s would not finish now: %s", row.pk, error)
        recovery_moves.later(row=row, seconds=RETRY_SECONDS)
        return
    recovery_relaying.store(
        row=row,
        target=Status.FINALIZING,
        purpose=Purpose.FINALIZE,
        call=call,
        gas_limit=estimate * GAS_MARGIN_PERCENT // 100,
    )


def watch(*, row: AccountClaim) -> None:
    """Look what became of the transaction that ends the delay; a failed one is retried.

    One that is not signed yet is given up when the owners cancel meanwhile.
    """
    sent = recovery_relaying.latest(row=row, purpose=Purpose.FINALIZE)
    if sent is None or sent.status == Relayed.FAILED:
        recovery_moves.move(
            row=row,
            target=Status.WAITING,
            attempts=row.attempts + 1,
            look_at=recovery_moves.in_seconds(RETRY_SECONDS),
        )
    elif sent.status == Relayed.QUEUED and is_being_cancelled(safe=row.safe):
        RelayerTransaction.objects.transition(
            sent.pk,
            source=Relayed.QUEUED,
            target=Relayed.FAILED,
            failure_code=UNDER_WAY,
        )
        recovery_moves.later(row=row)
    else:
        recovery_moves.later(row=row)


def finish(*, row: AccountClaim, block_number: int) -> None:
    """Note that the account has its new owners.

    Args:
        block_number: the newest when the chain said so, or a later one.
    """
    columns = {"done_at": timezone.now(), "done_block": block_number}
    if recovery_moves.move(row=row, target=Status.DONE, **columns):
        # Whose the new key is was proven when the claim was made.
        Safe.objects.filter(pk=row.safe_id).update(owners_synced_block=None)


def settle(*, row: AccountClaim) -> None:
    """Look no more at what is done once so many blocks stand on it that it stays."""
    chain = Chain.objects.get(pk=row.safe.chain_id)
    is_deep = row.done_block is None or chain.is_confirmed(row.done_block)
    recovery_moves.later(row=row, is_settled=is_deep)
