"""What a node answers, as values. Malformed answers are transient errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from onchain.clients.errors import TransientClientError
from onchain.protocol.types import Address, Bytes32

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRecord:
    """One block and whose balances its transactions moved directly."""

    number: int
    hash: Bytes32
    parent_hash: Bytes32
    timestamp: int  # seconds
    base_fee_wei: int  # wei per gas
    touched: frozenset[Address]  # top-level ``from`` and ``to`` of its transactions
    transaction_hashes: frozenset[Bytes32]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One event."""

    address: Address
    topics: tuple[Bytes32, ...]
    data: bytes
    block_hash: Bytes32
    block_number: int
    transaction_hash: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a transaction."""

    block_number: int
    succeeded: bool
    gas_used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
    """The state that preparing a user operation depends on."""

    head_timestamp: int  # seconds
    base_fee_wei: int  # wei per gas
    tip_wei: int  # wei per gas
    balance_wei: int
    nonces: Mapping[int, int]  # EntryPoint sequence by nonce key


def _guarded(parse: Callable[[Any], Record]) -> Callable[[Any], Record]:
    def guarded(value: Any) -> Record:
        try:
            return parse(value)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise TransientClientError("the node's answer has another shape") from None

    return guarded


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@_guarded
def parse_block(value: Any) -> BlockRecord:
    """Return a block from ``eth_getBlockByNumber`` (transactions may be hashes)."""
    whole = [item for item in value["transactions"] if isinstance(item, dict)]
    touched = {item["from"] for item in whole}
    touched |= {item["to"] for item in whole if item["to"] is not None}
    return BlockRecord(
        number=int(value["number"], 16),
        hash=Bytes32(_hex(value["hash"])),
        parent_hash=Bytes32(_hex(value["parentHash"])),
        timestamp=int(value["timestamp"], 16),
        base_fee_wei=int(value["baseFeePerGas"], 16),
        touched=frozenset(Address(_hex(item)) for item in touched),
        transaction_hashes=frozenset(Bytes32(_hex(item["hash"])) for item in whole),
    )


@_guarded
def parse_log(value: Any) -> LogRecord:
    """Return a log from ``eth_getLogs``."""
    return LogRecord(
        address=Address(_hex(value["address"])),
        topics=tuple(Bytes32(_hex(topic)) for topic in value["topics"]),
        data=_hex(value["data"]),
        block_hash=Bytes32(_hex(value["blockHash"])),
        block_number=int(value["blockNumber"], 16),
        transaction_hash=Bytes32(_hex(value["transactionHash"])),
    )


@_guarded
def parse_receipt(value: Any) -> Receipt:
    """Return a receipt from ``eth_getTransactionReceipt``."""
    return Receipt(
        block_number=int(value["blockNumber"], 16),
        succeeded=int(value["status"], 16) == 1,
        gas_used=int(value["gasUsed"], 16),
    )
