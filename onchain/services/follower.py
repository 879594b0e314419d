"""Reading the chain once, for everybody.

Each pass asks for the newest block in one request; what is new is read with its logs
in a second one, by number. Where a parent hash does not fit it looks for the fork.
The cost grows with blocks, not with accounts (design.md section 1).
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.clients.node import Node
from onchain.clients.node_types import BlockRecord
from onchain.errors import ChainNotReady
from onchain.models import Block, Chain, RelayerTransaction, UserOperation
from onchain.models.operation_states import Status
from onchain.services import (
    block_ranges,
    chain_events,
    configurations,
    findings,
    inclusion,
    owner_sync,
    recovery_requests,
    recovery_sync,
    row_locks,
    sponsor_payments,
    transfers,
    user_operations,
)
from onchain.services.block_ranges import BlockRange, Stride
from onchain.services.findings import Findings

logger = logging.getLogger(__name__)

LEASE_SECONDS = 10
BUSY_SECONDS = 300  # a relayer transaction older than this is stuck, not awaited
KEPT_BLOCKS = 256  # hashes kept; a deeper reorg asks for an operator


def take_lease(*, chain: Chain, name: str) -> bool:
    """Become or stay the chain's one follower; False while another one is."""
    now = timezone.now()
    free = Q(follower_name=name) | Q(follower_lease_until__isnull=True)
    free |= Q(follower_lease_until__lt=now)
    rows = Chain.objects.filter(free, pk=chain.pk).update(
        follower_name=name,
        follower_lease_until=now + timedelta(seconds=LEASE_SECONDS),
    )
    return rows == 1


def release_lease(*, chain: Chain, name: str) -> None:
    """Let another follower take over at once."""
    Chain.objects.filter(pk=chain.pk, follower_name=name).update(
        follower_lease_until=None
    )


def is_busy(*, chain: Chain) -> bool:
    """Whether anybody waits for the next block, so that it is asked for often."""
    operations = UserOperation.objects.filter(
        safe__chain=chain,
        status__in=(Status.SIGNED, Status.SUBMITTED),
    )
    young = timezone.now() - timedelta(seconds=BUSY_SECONDS)
    in_flight = RelayerTransaction.objects.in_flight().filter(
        chain=chain, created_at__gt=young
    )
    return operations.exists() or in_flight.exists()


def advance(*, chain: Chain, node: Node, stride: Stride | None = None) -> bool:
    """Read what is new and write it; True if there was anything.

    Safe to repeat and to interrupt: blocks and what they say are written together. A
    long gap takes many calls, one range of blocks each.

    Raises:
        TransientClientError: the node is out of reach or changed its mind in
            between; nothing was written.
        ChainNotReady: the node is on another chain; nothing was written.
    """
    chain_id, head = node.chain_id_and_head()
    if chain_id != chain.chain_id:
        raise ChainNotReady(f"The node is on chain {chain_id}.")
    chain.refresh_from_db()
    chain.newest_number = head.number
    known = chain.blocks.order_by("-number").first()
    if known is None:
        first = head.number if settings.START_BLOCK is None else settings.START_BLOCK
    elif known.hash == head.hash or _is_only_behind(chain, head):
        return False
    elif known.hash == head.parent_hash:
        first = head.number
    else:
        first = _rewind_to_fork(chain, node, known, head) + 1
    if first > head.number:
        return False
    found = block_ranges.read(
        node=node,
        first=first,
        newest=head.number,
        topics=chain_events.FOLLOWED,
        stride=stride or Stride(),
    )
    block_ranges.refuse_incoherent(chain=chain, found=found)
    _store(chain, found, findings.ask(chain=chain, node=node, found=found))
    return True


def _is_only_behind(chain: Chain, head: BlockRecord) -> bool:
    """Whether the node shows an older block of the same chain: no reorg, just late."""
    return chain.blocks.filter(number=head.number, hash=head.hash).exists()


def _rewind_to_fork(chain: Chain, node: Node, known: Block, head: BlockRecord) -> int:
    """Return the newest height where our hash is the node's, undoing the rest."""
    for block in chain.blocks.order_by("-number"):
        found = node.block_hash(block.number)
        if found is None and block.number <= head.number:
            raise TransientClientError("the node does not have a block below its head")
        if found == block.hash:
            if block.number < known.number:
                chain_events.rewind(chain=chain, fork_number=block.number)
                chain.refresh_from_db()
                chain.newest_number = head.number
            return block.number
    raise ChainNotReady("The chain is not the one that was followed before.")


@transaction.atomic
def _store(chain: Chain, found: BlockRange, told: Findings) -> None:
    number = found.head.number
    _store_blocks(chain, found)
    rows = [row for row, _receipt in told.mined]
    row_locks.lock_accounts(
        told.safe_keys
        | row_locks.accounts_of(rows)
        | inclusion.deployed_accounts(chain=chain, logs=found.logs)
        | recovery_requests.named_accounts(chain=chain, logs=found.logs)
    )
    chain_events.apply_logs(chain=chain, logs=found.logs, at=found.times)
    transfers.apply_unlogged(
        found=told.unlogged, receipts=told.unlogged_receipts, at=found.times
    )
    row_locks.lock_relayed(rows)
    for row, receipt in told.mined:
        inclusion.apply_receipt(row=row, receipt=receipt)
    inclusion.apply_balances(balances=told.balances, block_number=number)
    owner_sync.apply(
        changed=told.changed,
        found=told.owners,
        block_number=number,
        configurations=told.configured,
    )
    configurations.apply(found=told.configured, owners=told.owners, block_number=number)
    recovery_sync.apply(found=told.recoveries, block_number=number)
    _store_head(chain, found)
    user_operations.expire_operations(chain=chain)
    sponsor_payments.release_overtaken(chain=chain)


def _store_head(chain: Chain, found: BlockRange) -> None:
    head = found.head
    if chain.newest_number in (None, head.number):
        chain.catch_up_from = None
    elif chain.catch_up_from is None:
        chain.catch_up_from = found.blocks[0].number - 1
    chain.head_number = head.number
    chain.head_timestamp = head.timestamp
    chain.base_fee_wei = head.base_fee_wei
    times = chain.blocks.filter(number=chain.confirmed_number).values_list(
        "timestamp", flat=True
    )
    chain.confirmed_timestamp = times.first() or chain.confirmed_timestamp
    chain.save(
        update_fields=[
            "newest_number",
            "catch_up_from",
            "head_number",
            "head_timestamp",
            "base_fee_wei",
            "confirmed_timestamp",
        ]
    )


def _store_blocks(chain: Chain, found: BlockRange) -> None:
    rows = [
        Block(
            chain=chain,
            number=block.number,
            hash=block.hash,
            timestamp=block.timestamp,
        )
        for block in found.blocks
    ]
    try:
        Block.objects.bulk_create(rows)
    except IntegrityError:
        # Its lease ran out while it asked; what it wrote is undone with this.
        raise TransientClientError("another follower was faster") from None
    chain.blocks.filter(number__lt=found.head.number - KEPT_BLOCKS).delete()
