"""What a node answers, as values. Malformed answers are transient errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from onchain.clients.errors import TransientClientError
from onchain.protocol.types import (
    Address,
    Bytes32,
    require_address,
    require_bytes32,
)

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A transaction that carries ether; whether it succeeded is in its receipt."""

    sender: Address
    to: Address
    value_wei: int
    transaction_hash: Bytes32


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
    payments: tuple[Payment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One event."""

    address: Address
    topics: tuple[Bytes32, ...]
    data: bytes
    block_hash: Bytes32
    block_number: int
    transaction_hash: Bytes32
    log_index: int  # in its block


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a transaction."""

    block_number: int
    succeeded: bool
    gas_used: int
    fee_wei: int = 0  # wei that its sender paid for gas, and for data on a rollup


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
            raise TransientClientError("the answer has another shape") from None

    return guarded


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _address(text: str) -> Address:
    return Address(require_address(_hex(text)))


def _word(text: str) -> Bytes32:
    return Bytes32(require_bytes32(_hex(text)))


@_guarded
def parse_quantity(value: Any) -> int:
    """Return an unsigned integer of ``0x`` and hex digits."""
    if not value.startswith("0x"):
        raise ValueError("not a quantity")
    return int(value, 16)


@_guarded
def parse_data(value: Any) -> bytes:
    """Return the bytes of ``0x`` and hex digits."""
    return _hex(value)


def parse_list(value: Any) -> list[Any]:
    """Return a list of things still to be parsed."""
    if not isinstance(value, list):
        raise TransientClientError("the answer has another shape")
    return value


@_guarded
def parse_hash(value: Any) -> Bytes32:
    """Return a 32-byte hash."""
    return _word(value)


@_guarded
def parse_block_hash(value: Any) -> Bytes32:
    """Return the hash of a block from ``eth_getBlockByNumber``."""
    return _word(value["hash"])


@_guarded
def parse_time_and_fee(value: Any) -> tuple[int, int]:
    """Return a block's timestamp in seconds and its base fee in wei per gas."""
    return int(value["timestamp"], 16), int(value["baseFeePerGas"], 16)


@_guarded
def parse_gas_limit(value: Any) -> int:
    """Return a block's gas limit."""
    return int(value["gasLimit"], 16)


@_guarded
def parse_word(value: Any) -> int:
    """Return the integer of one ABI-encoded word."""
    return int.from_bytes(_word(value), "big")


@_guarded
def parse_block(value: Any) -> BlockRecord:
    """Return a block from ``eth_getBlockByNumber`` (transactions may be hashes)."""
    whole = [item for item in value["transactions"] if isinstance(item, dict)]
    touched = {item["from"] for item in whole}
    touched |= {item["to"] for item in whole if item["to"] is not None}
    return BlockRecord(
        number=int(value["number"], 16),
        hash=_word(value["hash"]),
        parent_hash=_word(value["parentHash"]),
        timestamp=int(value["timestamp"], 16),
        base_fee_wei=int(value["baseFeePerGas"], 16),
        touched=frozenset(_address(item) for item in touched),
        transaction_hashes=frozenset(_word(item["hash"]) for item in whole),
        payments=tuple(_payment(item) for item in whole if _is_payment(item)),
    )


def _is_payment(item: Mapping[str, Any]) -> bool:
    return item["to"] is not None and int(item["value"], 16) > 0


def _payment(item: Mapping[str, Any]) -> Payment:
    return Payment(
        sender=_address(item["from"]),
        to=_address(item["to"]),
        value_wei=int(item["value"], 16),
        transaction_hash=_word(item["hash"]),
    )


@_guarded
def parse_log(value: Any) -> LogRecord:
    """Return a log from ``eth_getLogs``."""
    return LogRecord(
        address=_address(value["address"]),
        topics=tuple(_word(topic) for topic in value["topics"]),
        data=_hex(value["data"]),
        block_hash=_word(value["blockHash"]),
        block_number=int(value["blockNumber"], 16),
        transaction_hash=_word(value["transactionHash"]),
        log_index=int(value["logIndex"], 16),
    )


@_guarded
def parse_receipt(value: Any) -> Receipt:
    """Return a receipt from ``eth_getTransactionReceipt``."""
    return Receipt(
        block_number=int(value["blockNumber"], 16),
        succeeded=int(value["status"], 16) == 1,
        gas_used=int(value["gasUsed"], 16),
        fee_wei=int(value["gasUsed"], 16) * int(value["effectiveGasPrice"], 16)
        + int(value.get("l1Fee") or "0x0", 16),  # OP Stack chains
    )
