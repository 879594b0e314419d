"""What happens on the fake chain, and the rows that it leaves."""

from __future__ import annotations

from typing import Any

from onchain.clients.errors import ClientError
from onchain.clients.node_types import LogRecord
from onchain.models import (
    Block,
    RelayerTransaction,
    Safe,
    Sponsorship,
    UserOperation,
)
from onchain.services import follower, inclusion
from tests.factories import (
    World,
    make_relayer_transaction,
)
from tests.fake_events import (
    Event,
    outcome_event,
    revert_reason_event,
)

BLOCK = 101


def logs_of(*events: Event, block: int = BLOCK) -> list[LogRecord]:
    return [
        LogRecord(
            address=event.address,
            topics=event.topics,
            data=event.data,
            block_hash=block.to_bytes(32, "big"),
            block_number=block,
            transaction_hash=event.transaction_hash,
        )
        for event in events
    ]


def happen(world: World, *events: Event, block: int = BLOCK) -> None:
    inclusion.apply_logs(chain=world.chain, logs=logs_of(*events, block=block))


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
    """Everything that a block may write, but the time of writing."""
    tables = [
        UserOperation.objects.order_by("pk").values(),
        Safe.objects.order_by("pk").values(),
        RelayerTransaction.objects.order_by("pk").values(),
        Sponsorship.objects.order_by("pk").values(),
    ]
    written_at = ("included_at", "paid_at")
    return [
        {name: value for name, value in row.items() if name not in written_at}
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
