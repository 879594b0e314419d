"""What happens on the fake chain, and the rows that it leaves."""

from __future__ import annotations

from typing import Any

from onchain.clients.errors import ClientError
from onchain.clients.node_types import LogRecord, Payment
from onchain.models import (
    Block,
    Owner,
    RelayerTransaction,
    Safe,
    Sponsorship,
    Transfer,
    UserOperation,
)
from onchain.protocol.types import Address, Bytes32
from onchain.services import chain_events, follower
from tests.factories import (
    ETHER,
    World,
    make_relayer_transaction,
)
from tests.fake_events import (
    Event,
    outcome_event,
    revert_reason_event,
    safe_received_event,
)
from tests.fakes import GENESIS_TIME

BLOCK = 101
STRANGER = Address(b"\x57" * 20)
OUR_TIMES = ("included_at", "attempted_at", "proven_at", "paid_at")


def logs_of(*events: Event, block: int = BLOCK) -> list[LogRecord]:
    return [
        LogRecord(
            address=event.address,
            topics=event.topics,
            data=event.data,
            block_hash=block.to_bytes(32, "big"),
            block_number=block,
            transaction_hash=event.transaction_hash,
            log_index=index,
        )
        for index, event in enumerate(events)
    ]


def happen(world: World, *events: Event, block: int = BLOCK) -> None:
    chain_events.apply_logs(
        chain=world.chain,
        logs=logs_of(*events, block=block),
        at={block: GENESIS_TIME + block},
    )


def outcome(op: UserOperation, **changes: Any) -> Event:
    """The EntryPoint's event about an operation."""
    fields = {
        "operation_hash": op.user_operation_hash,
        "sender": op.safe.address,
        "nonce": op.to_protocol().nonce,
    }
    return outcome_event(**fields | changes)


def reason(op: UserOperation, text: str) -> Event:
    return revert_reason_event(
        operation_hash=op.user_operation_hash,
        sender=op.safe.address,
        nonce=op.to_protocol().nonce,
        reason=text,
    )


def rows() -> list[dict[str, Any]]:
    """Everything that a block may write, but the times of our own doing."""
    tables = [
        UserOperation.objects.order_by("pk").values(),
        Safe.objects.order_by("pk").values(),
        RelayerTransaction.objects.order_by("pk").values(),
        Sponsorship.objects.order_by("pk").values(),
        Transfer.objects.order_by("block_number", "log_index").values(),
        Owner.objects.order_by("pk").values(),
    ]
    return [
        {name: value for name, value in row.items() if name not in OUR_TIMES}
        for table in tables
        for row in table
    ]


def two_versions(world: World) -> tuple[UserOperation, UserOperation]:
    """A signed, rejected payment and its newer version at the same nonce."""
    first = world.sign()
    world.bundler.refusal = ClientError("bundler-refused")
    first = world.submit(first)
    world.bundler.refusal = None
    return first, world.submit(world.sign(world.prepare_again(first)))


def deployment(world: World, **changes: Any) -> RelayerTransaction:
    fields = {"status": "broadcast", "hash": b"\x77" * 32, "chain": world.chain}
    return make_relayer_transaction(**fields | changes)


def follow(world: World) -> int:
    """Read until nothing is new; return how many passes found something."""
    passes = 0
    while follower.advance(chain=world.chain, node=world.node):
        passes += 1
    return passes


def known(world: World) -> list[tuple[int, bytes]]:
    blocks = Block.objects.filter(chain=world.chain).order_by("number")
    return [(block.number, block.hash) for block in blocks]


def chain_of(world: World, newest: int) -> list[tuple[int, bytes]]:
    return [(block.number, block.hash) for block in world.node.blocks[-newest:]]


def payment_to(
    safe: Safe, value_wei: int = ETHER, transaction_hash: bytes = b"\x88" * 32
) -> Payment:
    """A transaction of a stranger that pays an account."""
    return Payment(
        sender=STRANGER,
        to=Address(safe.address),
        value_wei=value_wei,
        transaction_hash=Bytes32(transaction_hash),
    )


def received(safe: Safe, value_wei: int = ETHER, **fields: Any) -> Event:
    """What an account with code says when it is paid."""
    return safe_received_event(
        account=safe.address, sender=STRANGER, value_wei=value_wei, **fields
    )


def transfers_of(safe: Safe) -> list[tuple[bytes, int, int | None, int]]:
    """What the account received: (sender, wei, log index, block)."""
    rows = safe.received_transfers.order_by("block_number", "log_index")
    return list(rows.values_list("sender", "value_wei", "log_index", "block_number"))
