"""Reading again what concerns one account, from a block on.

For an operator who doubts a row. It reads logs only, by ranges that shrink when the
node finds them too large, and writes what they say as the follower would: what is there
already stays. Owners, guardians and balance are marked, and the follower reads them
next. A plain payment to an account that had no code yet is in no log and is not found
here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from onchain.clients.errors import AnswerTooLarge, TransientClientError
from onchain.clients.node import Node
from onchain.clients.node_types import LogRecord
from onchain.errors import ReindexRefused
from onchain.models import Chain, RecoveryRequest, Safe
from onchain.protocol.events import (
    PROXY_CREATION,
    USER_OPERATION_EVENT,
    USER_OPERATION_REVERT_REASON,
)
from onchain.protocol.recovery_reads import RECOVERY_EVENTS
from onchain.protocol.types import Address
from onchain.services import chain_events, recovery_sync, row_locks
from onchain.services.block_ranges import Stride

logger = logging.getLogger(__name__)

MOST_BLOCKS = 2_000  # in one request; public nodes allow that much
NAMED_FIRST = (PROXY_CREATION, *RECOVERY_EVENTS)
NAMED_SECOND = (USER_OPERATION_EVENT, USER_OPERATION_REVERT_REASON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was read, and what is different now: one sentence each."""

    first: int
    last: int
    logs: int
    changes: list[str]


def reindex(*, safe: Safe, node: Node, first: int) -> Report:
    """Read the account's logs again and write them; safe beside a running follower.

    It ends at the block the follower has read: what is newer comes by itself. Repeating
    it changes nothing.

    Raises:
        ReindexRefused: the block is none that the follower has read.
        TransientClientError: the node is out of reach or changed its mind; ranges that
            were read are written, and it can be run again.
    """
    chain = Chain.objects.get(pk=safe.chain_id)
    if chain.head_number is None:
        raise ReindexRefused("Nothing of this chain was read yet: start the follower.")
    if not 0 <= first <= chain.head_number:
        raise ReindexRefused(
            f"Block {first:,} was not read yet: the follower is at "
            f"{chain.head_number:,}."
        )
    last = chain.head_number
    before = _snapshot(safe)
    stride = Stride(blocks=MOST_BLOCKS, most=MOST_BLOCKS)
    count, number = 0, first
    while number <= last:
        end = min(last, number + stride.blocks - 1)
        try:
            logs = _logs(safe, node, number, end)
        except AnswerTooLarge:
            if end == number:
                raise
            stride.halve(end - number + 1)
            continue
        stride.note_answer()
        times = _times(node, logs)
        _write(safe, logs, times)
        count, number = count + len(logs), end + 1
    Safe.objects.filter(pk=safe.pk).update(
        owners_synced_block=None, synced_at_block=None
    )
    recovery_sync.read_again(safe=safe)
    changes = _difference(before, _snapshot(safe))
    return Report(first=first, last=last, logs=count, changes=changes)


def _logs(safe: Safe, node: Node, first: int, last: int) -> list[LogRecord]:
    return node.logs_about(
        Address(safe.address),
        first,
        last,
        own=chain_events.FOLLOWED,
        named_first=NAMED_FIRST,
        named_second=NAMED_SECOND,
    )


def _times(node: Node, logs: Sequence[LogRecord]) -> dict[int, int]:
    """Return the blocks' timestamps, after seeing that the logs are really theirs."""
    numbers = sorted({log.block_number for log in logs})
    headers = {block.number: block for block in node.headers(numbers)}
    if any(headers[log.block_number].hash != log.block_hash for log in logs):
        raise TransientClientError("the chain was reorganised while it was read")
    return {number: block.timestamp for number, block in headers.items()}


@transaction.atomic
def _write(safe: Safe, logs: Sequence[LogRecord], times: Mapping[int, int]) -> None:
    """Write logs of blocks that the follower has too, or that are too old to change.

    The blocks are held meanwhile, so that a reorg waits and then undoes this as well.
    """
    chain = safe.chain
    rows = chain.blocks.select_for_update(no_key=True).order_by("number")
    known = dict(rows.values_list("number", "hash"))
    row_locks.lock_accounts([safe.pk])
    oldest = min(known, default=0)
    for log in logs:
        is_recent = log.block_number >= oldest
        if is_recent and known.get(log.block_number) != log.block_hash:
            raise TransientClientError("the follower has another block there")
    chain_events.apply_logs(chain=chain, logs=logs, at=times)


def _snapshot(safe: Safe) -> dict[str, object]:
    """Return what logs may change, by words that say what it is."""
    found: dict[str, object] = {
        f"Operation {op.pk}": op.get_status_display() for op in safe.operations.all()
    }
    for row in safe.received_transfers.all():
        place = f"block {row.block_number}, log {row.log_index}"
        found[f"Received {row.value_wei} wei in {place}"] = "known"
    for request in RecoveryRequest.objects.filter(setup__safe=safe):
        name = f"Recovery {request.nonce} of {request.setup.module_text}"
        found[name] = request.get_status_display()
    found["The account"] = Safe.objects.get(pk=safe.pk).get_status_display()
    return found


def _difference(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [
        f"{what}: {before.get(what, 'not known')}, now {now}."
        for what, now in after.items()
        if before.get(what) != now
    ]
