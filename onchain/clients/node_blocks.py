"""A node's blocks, with their logs and receipts.

Source: https://ethereum.github.io/execution-apis/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node_endpoint import Endpoint
from onchain.clients.node_requests import log_filter, range_filter
from onchain.clients.node_types import (
    BlockRecord,
    LogRecord,
    Receipt,
    parse_block,
    parse_block_hash,
    parse_list,
    parse_log,
    parse_quantity,
    parse_receipt,
)
from onchain.protocol.types import Address, Bytes32


@dataclass(frozen=True, slots=True)
class BlockReads(Endpoint):
    """What following the chain asks of a node."""

    def chain_id(self) -> int:
        """Return the chain's EIP-155 id."""
        return parse_quantity(self._call("eth_chainId"))

    def head(self) -> BlockRecord:
        """Return the newest block with its transactions."""
        return parse_block(self._call("eth_getBlockByNumber", "latest", True))

    def chain_id_and_head(self) -> tuple[int, BlockRecord]:
        """Return the chain's id and its newest block, without its transactions."""
        chain_id, block = self._batch(
            [("eth_chainId", ()), ("eth_getBlockByNumber", ("latest", False))]
        )
        return parse_quantity(chain_id), parse_block(block)

    def blocks_with_logs(
        self, first: int, last: int, topics: Sequence[Bytes32]
    ) -> tuple[list[BlockRecord], list[LogRecord]]:
        """Return the blocks from ``first`` to ``last`` and their matching logs.

        Logs are asked for by block hash (EIP-234): a node that does not have the block
        says so, where a range would be answered with an empty list.

        Raises:
            AnswerTooLarge: fewer blocks at once would be answered.
            TransientClientError: the node does not have the blocks, or not their logs.
        """
        blocks = [
            parse_block(block)
            for block in self._in_bulk(
                [
                    ("eth_getBlockByNumber", (hex(number), True))
                    for number in range(first, last + 1)
                ]
            )
        ]
        try:
            found = self._in_bulk(
                [("eth_getLogs", (log_filter(block.hash, topics),)) for block in blocks]
            )
        except ClientError as error:
            raise TransientClientError(f"logs of a block: {error.code}") from error
        return blocks, [parse_log(log) for logs in found for log in parse_list(logs)]

    def logs_about(
        self,
        account: Address,
        first: int,
        last: int,
        *,
        own: Sequence[Bytes32],
        named_first: Sequence[Bytes32],
        named_second: Sequence[Bytes32],
    ) -> list[LogRecord]:
        """Return the logs of a range of blocks that concern one account, in order.

        ``own`` are topics of its own events; of the others, by contracts that name it,
        it is the first or the second indexed argument.

        Raises:
            AnswerTooLarge: the range has too many for one answer.
            TransientClientError: the node would not answer.
        """
        word = Bytes32(bytes(12) + account)
        filters = [
            range_filter(first, last, topics=[own], address=account),
            range_filter(first, last, topics=[named_first, word]),
            range_filter(first, last, topics=[named_second, None, word]),
        ]
        try:
            found = self._in_bulk([("eth_getLogs", (item,)) for item in filters])
        except ClientError as error:
            raise TransientClientError(f"logs of an account: {error.code}") from error
        logs = [parse_log(log) for logs in found for log in parse_list(logs)]
        return sorted(logs, key=lambda log: (log.block_number, log.log_index))

    def headers(self, numbers: Sequence[int]) -> list[BlockRecord]:
        """Return the blocks at these heights, without their transactions."""
        return [
            parse_block(block)
            for block in self._in_bulk(
                [("eth_getBlockByNumber", (hex(item), False)) for item in numbers]
            )
        ]

    def block_hash(self, number: int) -> Bytes32 | None:
        """Return the hash of the block at this height, None above the head."""
        block = self._call("eth_getBlockByNumber", hex(number), False)
        return None if block is None else parse_block_hash(block)

    def receipts(self, hashes: Sequence[Bytes32]) -> list[Receipt | None]:
        """Return the receipts, None for a transaction that is not on chain."""
        answers = self._batch(
            [("eth_getTransactionReceipt", (f"0x{item.hex()}",)) for item in hashes]
        )
        return [None if item is None else parse_receipt(item) for item in answers]
