"""A relayer transaction that is stuck is signed again: same nonce, higher fees.

Only the next one in line can hold the others up, so only that is replaced. Whatever
version the chain takes in the end, the follower knows it by its hash.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from eth_account.signers.local import LocalAccount

from onchain.clients.node import Node
from onchain.models import Chain, RelayerAttempt, RelayerTransaction
from onchain.protocol.types import Address
from onchain.services import budgets, relayer

logger = logging.getLogger(__name__)

# Nodes refuse a replacement that raises either fee by less than a tenth (geth's
# default) or an eighth (others): an eighth pleases all.
RAISE_NUMERATOR, RAISE_DENOMINATOR = 9, 8
Status = RelayerTransaction.Status


def replace_stuck(*, chain: Chain, node: Node, account: LocalAccount) -> bool:
    """Sign the transaction that holds up the others with higher fees; True if done.

    Nothing is sent here: the row is stored with its new bytes and hash, and the next
    broadcast sends those. Safe to run beside itself: of two, one finds the row
    changed.

    Raises:
        TransientClientError: the node is out of reach; nothing changed.
    """
    sender = relayer.sender_of(account)
    row = _stuck(chain, sender)
    if row is None or row.nonce is None or row.gas_limit is None:
        return False
    used, base_fee, tip = node.replacement_snapshot(sender)
    if row.nonce != used:
        return False  # mined meanwhile, or it waits behind another
    ceiling = relayer.fee_ceiling(is_safety=_holds_up_safety(chain))
    fees = raised_fees(row, base_fee=base_fee, tip=tip, ceiling=ceiling)
    if fees is None:
        logger.error("relayer transaction %s is stuck at the fee ceiling", row.pk)
        return False
    signed = relayer.sign_with(
        chain=chain,
        account=account,
        nonce=row.nonce,
        fees=fees,
        to=Address(row.to),
        value_wei=row.value_wei,
        data=bytes(row.data),
        gas_limit=row.gas_limit,
    )
    return _store(row, signed)


def _stuck(chain: Chain, sender: Address) -> RelayerTransaction | None:
    """Return the first transaction in line if it was sent too long ago."""
    in_flight = chain.relayer_transactions.in_flight().filter(sender=sender)
    row = in_flight.order_by("nonce").first()
    patience = timezone.now() - timedelta(seconds=settings.RELAYER_STUCK_SECONDS)
    if row is None or row.status != Status.BROADCAST or row.broadcast_at is None:
        return None
    return row if row.broadcast_at < patience else None


def _holds_up_safety(chain: Chain) -> bool:
    """Whether something that keeps an account safe is stuck, or waits behind it."""
    waiting = [Status.QUEUED, Status.SIGNED, Status.BROADCAST]
    rows = chain.relayer_transactions.filter(is_safety=True, status__in=waiting)
    return rows.exists()


def raised_fees(
    row: RelayerTransaction, *, base_fee: int, tip: int, ceiling: int
) -> tuple[int, int] | None:
    """Return fees, in wei per gas, that replace the row's; None: above the ceiling.

    Both are raised by an eighth at least, rounded up, and to what the chain asks now.
    """
    least_fee = _raised(row.max_fee_per_gas or 0)
    least_tip = _raised(row.max_priority_fee_per_gas or 0)
    if least_fee > ceiling or least_tip > ceiling:
        return None
    raised_tip = min(max(least_tip, tip), ceiling)
    raised_fee = min(max(least_fee, 2 * base_fee + raised_tip), ceiling)
    return raised_fee, raised_tip


def _raised(fee: int) -> int:
    return -(-fee * RAISE_NUMERATOR // RAISE_DENOMINATOR)


def _store(row: RelayerTransaction, signed: relayer.SignedTransaction) -> bool:
    """Keep the old version and put the new one in its place, unless it moved on."""
    if row.raw is None or row.hash is None or row.max_fee_per_gas is None:
        raise ValueError(f"{row} is {row.status} without a signature")
    with transaction.atomic():
        moved = RelayerTransaction.objects.filter(
            pk=row.pk, status=Status.BROADCAST, hash=row.hash
        ).update(**relayer.signed_fields(signed), broadcast_at=timezone.now())
        if not moved:
            return False
        # Over the limit too: what is promised gets done, or it blocks all behind it.
        budgets.settle(row=row, cost_wei=signed.max_fee_wei)
        RelayerAttempt.objects.create(
            transaction=row,
            raw=bytes(row.raw),
            hash=row.hash,
            max_fee_per_gas=row.max_fee_per_gas,
        )
    logger.warning("relayer transaction %s replaced with higher fees", row.pk)
    return True
