"""What the chain says happened, asked directly, beside what the rows say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings

from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from onchain.models import Chain, RelayerTransaction, Safe, UserOperation
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.events import USER_OPERATION_EVENT, parse_user_operation_event
from onchain.protocol.types import Address, Bytes32, parse_hex, to_address
from onchain.services import relayer

COMPARED_BLOCKS = 20  # the newest ones: more than the deepest reorg here


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Facts:
    """What a block says about an operation; None in a row that no block is known of."""

    operation_hash: Bytes32 | None
    transaction_hash: Bytes32 | None
    block_number: int | None
    gas_cost_wei: int | None
    gas_used: int | None


def facts_of(op: UserOperation) -> Facts:
    """Return what the row says."""
    return Facts(
        operation_hash=op.user_operation_hash,
        transaction_hash=op.transaction_hash,
        block_number=op.block_number,
        gas_cost_wei=op.actual_gas_cost_wei,
        gas_used=op.actual_gas_used,
    )


def facts_on_chain(
    rpc: JsonRpc, *, first_block: int, accounts: Collection[bytes]
) -> list[Facts]:
    """Return one for each UserOperationEvent of these accounts since the block."""
    asked = {
        "address": f"0x{ENTRY_POINT.hex()}",
        "fromBlock": hex(first_block),
        "toBlock": "latest",
        "topics": [f"0x{USER_OPERATION_EVENT.hex()}"],
    }
    found = []
    for log in rpc.call("eth_getLogs", asked):
        topics = tuple(Bytes32(parse_hex(topic)) for topic in log["topics"])
        outcome = parse_user_operation_event(topics, parse_hex(log["data"]))
        if outcome.sender in accounts:
            facts = Facts(
                operation_hash=outcome.operation_hash,
                transaction_hash=Bytes32(parse_hex(log["transactionHash"])),
                block_number=int(log["blockNumber"], 16),
                gas_cost_wei=outcome.actual_gas_cost_wei,
                gas_used=outcome.actual_gas_used,
            )
            found.append(facts)
    return found


def compare(chain: Chain, node: Node) -> None:
    """Compare blocks, balances and the relayer's transactions with the chain's."""
    for block in chain.blocks.order_by("-number")[:COMPARED_BLOCKS]:
        assert block.hash == node.block_hash(block.number)
    accounts = list(Safe.objects.order_by("pk"))
    held = node.balances([Address(safe.address) for safe in accounts])
    assert [safe.balance_wei for safe in accounts] == held
    Status = RelayerTransaction.Status
    for row in RelayerTransaction.objects.filter(status=Status.MINED):
        (receipt,) = [item for item in node.receipts(row.hashes) if item]
        assert receipt.block_number == row.block_number
    account = to_address(relayer.account_of(settings.RELAYER_PRIVATE_KEY).address)
    pending, *_rest = node.relayer_snapshot(account)
    mined, _balance = node.nonce_and_balance(account)
    assert mined == pending, "a nonce of the relayer is blocked"
