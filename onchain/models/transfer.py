"""Ether that an account received."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.models.chain import Chain
from onchain.models.safe import Safe
from onchain.protocol.types import checksum_address


class Transfer(models.Model):
    """Ether that arrived at one account, as the chain's blocks say.

    An account with code says so itself, in a log. Before it has code nothing does: then
    it is the transaction, or the event of the operation, that sent the ether. Only the
    follower writes rows, and it deletes those of blocks that a reorg took away.
    """

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="transfers")
    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="received_transfers"
    )
    sender = AddressField()
    value_wei = Uint256Field()
    transaction_hash = Bytes32Field()
    log_index = models.PositiveIntegerField(
        null=True, help_text="of the log in its block; empty: the transaction itself"
    )
    block_number = models.PositiveBigIntegerField()
    received_at = models.DateTimeField(help_text="the block's time")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "transaction_hash", "log_index"],
                name="onchain_transfer_one_per_log",
            ),
            # Null is equal to nothing, not even to itself.
            models.UniqueConstraint(
                fields=["chain", "transaction_hash"],
                condition=Q(log_index__isnull=True),
                name="onchain_transfer_one_per_transaction",
            ),
        ]
        indexes = [
            models.Index(fields=["safe", "-received_at"]),
            models.Index(fields=["chain", "block_number"]),
        ]
        ordering = ["-received_at", "-pk"]

    def __str__(self) -> str:
        return f"transfer {self.pk}"

    @property
    def sender_text(self) -> str:
        """The sender's checksummed address."""
        return checksum_address(self.sender)

    @property
    def is_confirmed(self) -> bool:
        """True once enough blocks stand on it; a reorg can undo it."""
        return self.safe.chain.is_confirmed(self.block_number)
