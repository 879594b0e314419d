"""What is asked about a range of blocks beyond its logs, before anything is written.

Balances of the accounts that the blocks touch, receipts of our transactions in them,
and the owners, configuration and guardians of the accounts that their logs point to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onchain.clients.errors import TransientClientError
from onchain.clients.node import Node
from onchain.clients.node_recovery import RecoveryRecord
from onchain.clients.node_types import BlockRecord, Payment, Receipt
from onchain.models import Chain, RelayerTransaction, Safe
from onchain.protocol.configuration import Configuration
from onchain.protocol.owners import AccountOwners
from onchain.protocol.types import Address, Bytes32
from onchain.services import inclusion, owner_reads, recovery_sync, transfers
from onchain.services.block_ranges import BlockRange
from onchain.services.recovery_sync import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The answers."""

    balances: Mapping[int, int]  # wei, by account
    mined: Sequence[tuple[RelayerTransaction, Receipt]]
    unlogged: Sequence[tuple[Safe, Payment]]
    unlogged_receipts: Sequence[Receipt]
    changed: Sequence[Safe]  # whose owners may be others
    owners: Mapping[Safe, AccountOwners | None] = field(default_factory=dict)
    configured: Mapping[Safe, Configuration | None] = field(default_factory=dict)
    recoveries: Mapping[Pair, RecoveryRecord | None] = field(default_factory=dict)

    @property
    def safe_keys(self) -> set[int]:
        """The accounts that are written."""
        asked = (*self.changed, *self.owners, *(safe for safe, _ in self.recoveries))
        return {*self.balances, *(safe.pk for safe in asked)}


def ask(*, chain: Chain, node: Node, found: BlockRange) -> Findings:
    """Ask the node what the blocks leave open.

    Raises:
        TransientClientError: it is out of reach, or a receipt is not there yet.
    """
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
    changed = owner_reads.changed(chain=chain, logs=found.logs)
    # While catching up nobody is asked: a node keeps the state of old blocks only for a
    # while. The accounts are marked, and read once the head is reached.
    is_newest = found.head.number == chain.newest_number
    due = owner_reads.due(chain=chain, changed=changed) if is_newest else []
    owners, configured = _read_accounts(node, due, found.head)
    touched = recovery_sync.touched(
        chain=chain, logs=found.logs, changed=changed, configured=configured
    )
    guarded = recovery_sync.due(chain=chain, touched=touched) if is_newest else []
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
        recoveries=_read_recoveries(node, touched, guarded, found.head),
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


def _read_recoveries(
    node: Node, touched: Sequence[Pair], due: Sequence[Pair], block: BlockRecord
) -> dict[Pair, RecoveryRecord | None]:
    """Return what the modules say; None for what waits for another turn."""
    found: dict[Pair, RecoveryRecord | None] = dict.fromkeys(touched)
    if due:
        asked = [(Address(safe.address), module) for safe, module in due]
        answers = node.recovery_records(asked, block.hash)
        found |= dict(zip(due, answers, strict=True))
    return found


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
