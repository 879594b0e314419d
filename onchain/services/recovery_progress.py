"""One look at a claim: what the chain says of it, and what follows.

The rows are the queue. A worker may stop at any line: whatever it left, the next look
begins with the chain's own word, and one transaction of a claim is in flight at a time.
"""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.clients.node import Node
from onchain.models import AccountClaim, Chain
from onchain.protocol.errors import EncodingError
from onchain.protocol.recovery_state import RecoveryState
from onchain.protocol.types import Address
from onchain.services import (
    recovery_claims,
    recovery_finalising,
    recovery_moves,
    recovery_reading,
    recovery_relaying,
)

Status = AccountClaim.Status
BEHIND_SECONDS = 10  # a node that is away or behind is asked again this often
STEPS = 4  # states that one look may take a claim through


def due(*, chain: Chain) -> QuerySet[AccountClaim]:
    """Return the claims that are to be looked at now.

    One that is done as well, until its end is so deep that no reorg takes it back.
    """
    watched = AccountClaim.objects.filter(safe__chain=chain, is_settled=False)
    return watched.exclude(status=Status.STOPPED).filter(look_at__lte=timezone.now())


def advance(*, row: AccountClaim, node: Node, relayer: Address) -> None:
    """Take a claim as far as the chain allows now. Safe to repeat.

    Raises:
        TransientClientError: the node is out of reach, or behind what was read before.
    """
    if row.status == Status.STOPPED or row.is_settled:
        return
    recovery_claims.check(row=row, node=node)
    if row.status in {Status.CHECKING, Status.STOPPED}:
        return
    try:
        state = recovery_reading.state_of(row=row, node=node)
    except EncodingError as error:
        recovery_moves.later(row=row, seconds=BEHIND_SECONDS)
        raise TransientClientError("the account does not answer") from error
    for _step in range(STEPS):
        before, attempts = row.status, row.attempts
        try:
            _step_on(row, state, node, relayer)
        except TransientClientError:
            recovery_moves.later(row=row, seconds=BEHIND_SECONDS)
            raise
        if row.status in {before, Status.STOPPED} or row.attempts > attempts:
            return  # what failed is not tried again in the same moment


def _step_on(
    row: AccountClaim, state: RecoveryState, node: Node, relayer: Address
) -> None:
    """Do the one next thing."""
    found = recovery_reading.verdict(row=row, state=state)
    begun = row.status in recovery_reading.BEGUN
    if row.status == Status.DONE and found.status != Status.WAITING:
        recovery_finalising.settle(row=row)
    elif found.status == Status.STOPPED:
        recovery_moves.stop(row=row, code=found.code)
    elif found.status == Status.DONE:
        recovery_finalising.finish(row=row, block_number=node.head().number)
    elif found.status == Status.WAITING and row.status == Status.FINALIZING:
        recovery_finalising.watch(row=row)
    elif found.status == Status.WAITING and row.status != Status.WAITING:
        _begin_waiting(row, state)
    elif found.status == Status.WAITING:
        recovery_finalising.wait(row=row, state=state, node=node, relayer=relayer)
    elif begun:  # a reorg took the start away
        recovery_moves.move(row=row, target=Status.RELAYING)
    elif row.status == Status.RELAYING:
        recovery_relaying.watch(row=row)
    elif row.status == Status.READY:
        recovery_relaying.collect(row=row, state=state)
        recovery_relaying.relay(row=row, state=state, node=node, relayer=relayer)
    elif row.status == Status.COLLECTING:
        recovery_relaying.collect(row=row, state=state)


def _begin_waiting(row: AccountClaim, state: RecoveryState) -> None:
    """The chain's own request is this claim's, whoever brought it there."""
    if state.request is not None:
        recovery_moves.move(
            row=row,
            target=Status.WAITING,
            execute_after=state.request.execute_after,
            attempts=0,
        )
