"""What the follower reads, and who writes what it says.

One place to plug in: events are a pair of their topics and the function that writes
them, and whatever was written above a block is undone by the functions of ``UNDOING``.
No network here; a function that is called again with the same logs changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from django.db import transaction

from onchain.clients.node_types import LogRecord
from onchain.models import Chain
from onchain.protocol.allowances import ALLOWANCE_EVENTS
from onchain.protocol.events import (
    ACCOUNT_EVENTS,
    PROXY_CREATION,
    SAFE_RECEIVED,
    USER_OPERATION_EVENT,
    USER_OPERATION_REVERT_REASON,
)
from onchain.protocol.recovery_reads import RECOVERY_EVENTS
from onchain.protocol.types import Bytes32
from onchain.services import (
    inclusion,
    recovery_requests,
    rewinding,
    row_locks,
    transfers,
)

logger = logging.getLogger(__name__)


class Applier(Protocol):
    """Writes what the logs of some topics say; ``at`` has the blocks' timestamps."""

    def __call__(
        self,
        *,
        chain: Chain,
        logs: Sequence[LogRecord],
        all_logs: Sequence[LogRecord],
        at: Mapping[int, int],
    ) -> None: ...


class Undoing(Protocol):
    """Undoes what the blocks above a fork did."""

    def __call__(self, *, chain: Chain, fork_number: int) -> None: ...


# In this order.
APPLIED: tuple[tuple[Sequence[Bytes32], Applier], ...] = (
    ([USER_OPERATION_EVENT], inclusion.apply_outcomes),
    ([USER_OPERATION_EVENT], transfers.apply_sent),
    ([PROXY_CREATION], inclusion.apply_deployments),
    ([SAFE_RECEIVED], transfers.apply_received),
    (RECOVERY_EVENTS, recovery_requests.apply),
)
# Read beside them: reasons belong to outcomes, and what an account says of its
# owners and its configuration, or a module of its allowances, sends to the account.
READ_ALONG = (USER_OPERATION_REVERT_REASON, *ACCOUNT_EVENTS, *ALLOWANCE_EVENTS)
UNDOING: tuple[Undoing, ...] = (
    rewinding.rewind,
    transfers.rewind,
    recovery_requests.rewind,
)

FOLLOWED = tuple(
    dict.fromkeys(
        [*(each for topics, _apply in APPLIED for each in topics), *READ_ALONG]
    )
)


def apply_logs(
    *, chain: Chain, logs: Sequence[LogRecord], at: Mapping[int, int]
) -> None:
    """Write what logs say, in their blocks' order; repeating it changes nothing."""
    for topics, apply in APPLIED:
        own = [log for log in logs if log.topics[0] in topics]
        if own:
            apply(chain=chain, logs=own, all_logs=logs, at=at)


@transaction.atomic
def rewind(*, chain: Chain, fork_number: int) -> None:
    """Undo what blocks above the fork did; the truth is read again from there.

    Locks in the order of ``row_locks``. Safe to repeat.
    """
    logger.warning("reorg on %s: back to block %s", chain.chain_id, fork_number)
    chain.blocks.filter(number__gt=fork_number).delete()
    row_locks.lock_accounts(row_locks.accounts_above(chain=chain, number=fork_number))
    for undo in UNDOING:
        undo(chain=chain, fork_number=fork_number)
    above = Chain.objects.filter(pk=chain.pk, agreed_number__gt=fork_number)
    above.update(agreed_number=fork_number)
