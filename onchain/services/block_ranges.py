"""Ranges of blocks: as many at once as the node answers, and fewer when it balks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from onchain.clients.errors import AnswerTooLarge, TransientClientError
from onchain.clients.node import Node
from onchain.clients.node_types import BlockRecord, LogRecord
from onchain.models import Chain
from onchain.protocol.types import Bytes32

logger = logging.getLogger(__name__)

MOST_BLOCKS = 50  # in one request: what is held in memory at once
GROW_AFTER = 8  # ranges in a row that were answered


@dataclass(slots=True)
class Stride:
    """How many blocks are asked for at once; one follower has one of them."""

    blocks: int = MOST_BLOCKS
    most: int = MOST_BLOCKS
    answered: int = 0  # since it last changed

    def halve(self, asked: int) -> None:
        """Ask for half of what was asked, one block at least."""
        self.blocks = max(1, asked // 2)
        self.answered = 0

    def note_answer(self) -> None:
        """Ask for twice as much after a while: the limit may have been a moment's."""
        self.answered += 1
        if self.answered >= GROW_AFTER and self.blocks < self.most:
            self.blocks = min(self.most, self.blocks * 2)
            self.answered = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRange:
    """Consecutive blocks with the logs that are followed."""

    blocks: Sequence[BlockRecord]
    logs: Sequence[LogRecord]

    @property
    def head(self) -> BlockRecord:
        """The newest of the blocks."""
        return self.blocks[-1]

    @property
    def times(self) -> dict[int, int]:
        """Timestamps in seconds, by the blocks' numbers."""
        return {block.number: block.timestamp for block in self.blocks}


def read(
    *, node: Node, first: int, newest: int, topics: Sequence[Bytes32], stride: Stride
) -> BlockRange:
    """Return the blocks from ``first`` on, up to the stride, with their logs.

    Asked for by number, so that a block that comes meanwhile cannot hide another's
    logs. A node that finds it too much is asked for half, down to one block.

    Raises:
        TransientClientError: the node would not answer, or not even about one block.
    """
    while True:
        last = min(newest, first + stride.blocks - 1)
        asked = last - first + 1
        try:
            blocks, logs = node.blocks_with_logs(first, last, topics)
        except AnswerTooLarge as error:
            stride.halve(asked)
            if asked == 1:
                raise
            logger.info("%s blocks at once are too many: %s", asked, error)
            continue
        except TransientClientError:
            stride.halve(asked)  # it may be the size that it does not say
            raise
        stride.note_answer()
        return BlockRange(blocks=blocks, logs=logs)


def refuse_incoherent(*, chain: Chain, found: BlockRange) -> None:
    """Blocks must extend what is known, and every log must come from one of them.

    Raises:
        TransientClientError: they do not; it is read again.
    """
    blocks = found.blocks
    before = chain.blocks.filter(number=blocks[0].number - 1).first()
    if before is not None and before.hash != blocks[0].parent_hash:
        raise TransientClientError("the chain was reorganised while it was read")
    for parent, block in zip(blocks, blocks[1:], strict=False):
        if block.parent_hash != parent.hash:
            raise TransientClientError("blocks changed while they were read")
    hashes = {block.hash for block in blocks}
    if any(log.block_hash not in hashes for log in found.logs):
        raise TransientClientError("logs are of other blocks")
