"""Reading the chain once, for everybody.

Each pass asks for the newest block in one request; what is new is read with its logs
in a second one, by number. Where a parent hash does not fit it looks for the fork.
The cost grows with blocks, not with accounts (design.md section 1).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.clients.node import Node
from onchain.clients.node_types import BlockRecord, LogRecord, Receipt
from onchain.errors import ChainNotReady
from onchain.models import Block, Chain, RelayerTransaction, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.events import FOLLOWED
from onchain.protocol.owners import AccountOwners
from onchain.protocol.types import Address, Bytes32
from onchain.services import inclusion, owner_sync, user_operations

logger = logging.getLogger(__name__)

LEASE_SECONDS = 10
BUSY_SECONDS = 300  # a relayer transaction older than this is stuck, not awaited
RANGE_BLOCKS = 50  # blocks in one request while catching up
KEPT_BLOCKS = 256  # hashes kept; a deeper reorg asks for an operator
Batch = tuple[Sequence[BlockRecord], Sequence[LogRecord]]


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


def advance(*, chain: Chain, node: Node) -> bool:
    """Read what is new and write it; True if there was anything.

    Safe to repeat and to interrupt: blocks and what they say are written together.

    Raises:
        TransientClientError: the node is out of reach or changed its mind in
            between; nothing was written.
        ChainNotReady: the node is on another chain; nothing was written.
    """
    chain_id, head = node.chain_id_and_head()
    if chain_id != chain.chain_id:
        raise ChainNotReady(f"The node is on chain {chain_id}.")
    chain.refresh_from_db()
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
    # By number, so that a block that comes while we ask cannot hide another's logs.
    last = min(head.number, first + RANGE_BLOCKS - 1)
    batch = node.blocks_with_logs(first, last, FOLLOWED)
    _write(chain, node, batch, is_newest=last == head.number)
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
                inclusion.rewind(chain=chain, fork_number=block.number)
            return block.number
    raise ChainNotReady("The chain is not the one that was followed before.")


def _write(chain: Chain, node: Node, batch: Batch, *, is_newest: bool) -> None:
    blocks, logs = batch
    _refuse_incoherent(chain, blocks, logs)
    addresses: set[Address] = set()
    hashes: set[Bytes32] = set()
    for block in blocks:
        addresses |= block.touched
        hashes |= block.transaction_hashes
    safes = inclusion.touched_safes(chain=chain, addresses=list(addresses), logs=logs)
    balances = node.balances([Address(safe.address) for safe in safes])
    mined = _mined(chain, hashes)
    receipts = node.receipts([transaction_hash for _row, transaction_hash in mined])
    changed = owner_sync.changed(chain=chain, logs=logs)
    # While catching up nobody is asked: a node keeps the state of old blocks only for a
    # while. The accounts are marked, and read once the head is reached.
    due = owner_sync.due(chain=chain, changed=changed) if is_newest else []
    _store(
        chain,
        batch,
        balances={
            safe.pk: balance for safe, balance in zip(safes, balances, strict=True)
        },
        receipts=_complete([row for row, _hash in mined], receipts),
        changed=changed,
        owners=_owners(node, due, blocks[-1]),
    )


def _owners(
    node: Node, safes: Sequence[Safe], block: BlockRecord
) -> dict[Safe, AccountOwners | None]:
    if not safes:
        return {}
    found = node.owners([Address(safe.address) for safe in safes], block.hash)
    return dict(zip(safes, found, strict=True))


def _mined(
    chain: Chain, hashes: set[Bytes32]
) -> list[tuple[RelayerTransaction, Bytes32]]:
    """Return our transactions that are in the blocks, in whatever version."""
    in_flight = RelayerTransaction.objects.in_flight().filter(chain=chain)
    return [
        (row, transaction_hash)
        for row in in_flight.prefetch_related("earlier")
        for transaction_hash in row.hashes
        if transaction_hash in hashes
    ]


def _complete(
    rows: Sequence[RelayerTransaction], receipts: Sequence[Receipt | None]
) -> list[tuple[RelayerTransaction, Receipt]]:
    """Pair rows and receipts; a block is read once, so none may be missing."""
    pairs = []
    for row, receipt in zip(rows, receipts, strict=True):
        if receipt is None:
            raise TransientClientError("a receipt of the block is not there yet")
        pairs.append((row, receipt))
    return pairs


def _refuse_incoherent(
    chain: Chain, blocks: Sequence[BlockRecord], logs: Sequence[LogRecord]
) -> None:
    """Blocks must extend what is known, and every log must come from one of them."""
    before = chain.blocks.filter(number=blocks[0].number - 1).first()
    if before is not None and before.hash != blocks[0].parent_hash:
        raise TransientClientError("the chain was reorganised while it was read")
    for parent, block in zip(blocks, blocks[1:], strict=False):
        if block.parent_hash != parent.hash:
            raise TransientClientError("blocks changed while they were read")
    hashes = {block.hash for block in blocks}
    if any(log.block_hash not in hashes for log in logs):
        raise TransientClientError("logs are of other blocks")


@transaction.atomic
def _store(
    chain: Chain,
    batch: Batch,
    *,
    balances: dict[int, int],
    receipts: list[tuple[RelayerTransaction, Receipt]],
    changed: Sequence[Safe],
    owners: dict[Safe, AccountOwners | None],
) -> None:
    blocks, logs = batch
    head = blocks[-1]
    _lock({*balances, *(safe.pk for safe in (*changed, *owners))})
    inclusion.apply_logs(chain=chain, logs=logs)
    for row, receipt in receipts:
        inclusion.apply_receipt(row=row, receipt=receipt)
    inclusion.apply_balances(balances=balances, block_number=head.number)
    owner_sync.apply(changed=changed, found=owners, block_number=head.number)
    _store_blocks(chain, blocks)
    chain.blocks.filter(number__lt=head.number - KEPT_BLOCKS).delete()
    confirmed = chain.blocks.filter(number=head.number - settings.CONFIRMATIONS + 1)
    chain.head_number = head.number
    chain.head_timestamp = head.timestamp
    chain.confirmed_timestamp = confirmed.values_list("timestamp", flat=True).first()
    chain.base_fee_wei = head.base_fee_wei
    chain.save(
        update_fields=[
            "head_number",
            "head_timestamp",
            "confirmed_timestamp",
            "base_fee_wei",
        ]
    )
    user_operations.expire_operations(chain=chain)


def _lock(keys: set[int]) -> None:
    """Take the accounts' rows in the order of their keys, as requests do.

    A request that drafts for several accounts takes theirs one by one; in another
    order the two could wait for each other.
    """
    rows = Safe.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    list(rows.values_list("pk"))


def _store_blocks(chain: Chain, blocks: Sequence[BlockRecord]) -> None:
    rows = [
        Block(
            chain=chain,
            number=block.number,
            hash=block.hash,
            timestamp=block.timestamp,
        )
        for block in blocks
    ]
    try:
        Block.objects.bulk_create(rows)
    except IntegrityError:
        # Its lease ran out while it asked; what it wrote is undone with this.
        raise TransientClientError("another follower was faster") from None
