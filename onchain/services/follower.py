"""Reading the chain once, for everybody.

Each pass asks for the newest block in one request; what is new is read with its logs
in a second one, by number. Where a parent hash does not fit it looks for the fork.
The cost grows with blocks, not with accounts (design.md section 1).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.clients.node import Node
from onchain.clients.node_types import BlockRecord, Payment, Receipt
from onchain.errors import ChainNotReady
from onchain.models import Block, Chain, RelayerTransaction, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.configuration import Configuration
from onchain.protocol.owners import AccountOwners
from onchain.protocol.types import Address, Bytes32
from onchain.services import (
    block_ranges,
    chain_events,
    configurations,
    inclusion,
    owner_sync,
    row_locks,
    transfers,
    user_operations,
)
from onchain.services.block_ranges import BlockRange, Stride

logger = logging.getLogger(__name__)

LEASE_SECONDS = 10
BUSY_SECONDS = 300  # a relayer transaction older than this is stuck, not awaited
KEPT_BLOCKS = 256  # hashes kept; a deeper reorg asks for an operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was asked about a range of blocks, before anything is written."""

    balances: Mapping[int, int]  # wei, by account
    mined: Sequence[tuple[RelayerTransaction, Receipt]]
    unlogged: Sequence[tuple[Safe, Payment]]
    unlogged_receipts: Sequence[Receipt]
    changed: Sequence[Safe]  # whose owners may be others
    owners: Mapping[Safe, AccountOwners | None] = field(default_factory=dict)
    configured: Mapping[Safe, Configuration | None] = field(default_factory=dict)

    @property
    def safe_keys(self) -> set[int]:
        """The accounts that are written."""
        return {*self.balances, *(safe.pk for safe in (*self.changed, *self.owners))}


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
    _store(chain, found, _ask(chain, node, found))
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


def _ask(chain: Chain, node: Node, found: BlockRange) -> Findings:
    addresses: set[Address] = set()
    hashes: set[Bytes32] = set()
    for block in found.blocks:
        addresses |= block.touched
        hashes |= block.transaction_hashes
    safes = inclusion.touched_safes(
        chain=chain, addresses=list(addresses), logs=found.logs
    )
    balances = node.balances([Address(safe.address) for safe in safes])
    mined = _mined(chain, hashes)
    unlogged = transfers.unlogged(chain=chain, blocks=found.blocks, logs=found.logs)
    asked = [transaction_hash for _row, transaction_hash in mined]
    asked += [payment.transaction_hash for _safe, payment in unlogged]
    receipts = _complete(node.receipts(asked))
    changed = owner_sync.changed(chain=chain, logs=found.logs)
    # While catching up nobody is asked: a node keeps the state of old blocks only for a
    # while. The accounts are marked, and read once the head is reached.
    is_newest = found.head.number == chain.newest_number
    due = owner_sync.due(chain=chain, changed=changed) if is_newest else []
    owners, configured = _read_accounts(node, due, found.head)
    pairs = zip(safes, balances, strict=True)
    return Findings(
        balances={safe.pk: balance for safe, balance in pairs},
        mined=[
            (row, receipt) for (row, _), receipt in zip(mined, receipts, strict=False)
        ],
        unlogged=unlogged,
        unlogged_receipts=receipts[len(mined) :],
        changed=changed,
        owners=owners,
        configured=configured,
    )


def _read_accounts(
    node: Node, safes: Sequence[Safe], block: BlockRecord
) -> tuple[dict[Safe, AccountOwners | None], dict[Safe, Configuration | None]]:
    if not safes:
        return {}, {}
    addresses = [Address(safe.address) for safe in safes]
    owners = node.owners(addresses, block.hash)
    found = node.configurations(addresses, block.hash)
    return dict(zip(safes, owners, strict=True)), dict(zip(safes, found, strict=True))


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


def _complete(receipts: Sequence[Receipt | None]) -> list[Receipt]:
    """Return the receipts; a block is read once, so none may be missing."""
    found = [receipt for receipt in receipts if receipt is not None]
    if len(found) != len(receipts):
        raise TransientClientError("a receipt of the block is not there yet")
    return found


@transaction.atomic
def _store(chain: Chain, found: BlockRange, findings: Findings) -> None:
    number = found.head.number
    _store_blocks(chain, found)
    rows = [row for row, _receipt in findings.mined]
    row_locks.lock_accounts(
        findings.safe_keys
        | row_locks.accounts_of(rows)
        | inclusion.deployed_accounts(chain=chain, logs=found.logs)
    )
    chain_events.apply_logs(chain=chain, logs=found.logs, at=found.times)
    transfers.apply_unlogged(
        found=findings.unlogged, receipts=findings.unlogged_receipts, at=found.times
    )
    row_locks.lock_relayed(rows)
    for row, receipt in findings.mined:
        inclusion.apply_receipt(row=row, receipt=receipt)
    inclusion.apply_balances(balances=findings.balances, block_number=number)
    owner_sync.apply(
        changed=findings.changed,
        found=findings.owners,
        block_number=number,
        configurations=findings.configured,
    )
    configurations.apply(
        found=findings.configured, owners=findings.owners, block_number=number
    )
    _store_head(chain, found)
    user_operations.expire_operations(chain=chain)


def _store_head(chain: Chain, found: BlockRange) -> None:
    head = found.head
    if chain.newest_number in (None, head.number):
        chain.catch_up_from = None
    elif chain.catch_up_from is None:
        chain.catch_up_from = found.blocks[0].number - 1
    chain.head_number = head.number
    chain.head_timestamp = head.timestamp
    chain.base_fee_wei = head.base_fee_wei
    confirmed = head.number - settings.CONFIRMATIONS + 1
    if chain.agreed_number is not None:
        confirmed = min(confirmed, chain.agreed_number)  # R48
    times = chain.blocks.filter(number=confirmed).values_list("timestamp", flat=True)
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
