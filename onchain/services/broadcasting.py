"""Sending what the relayer signed, and giving up what no node will ever take."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from onchain.clients.errors import ClientError
from onchain.clients.node import Node
from onchain.models import RelayerTransaction
from onchain.services import budgets, deployments, row_locks

logger = logging.getLogger(__name__)

LOST_SECONDS = 60  # how long a used nonce may go without a receipt
Status = RelayerTransaction.Status


def broadcast(*, row: RelayerTransaction, node: Node) -> None:
    """Send a stored transaction as it is; safe to repeat until it is on chain.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if row.status not in (Status.SIGNED, Status.BROADCAST):
        return
    if row.raw is None or row.hash is None:
        raise ValueError(f"{row} is {row.status} without a signature")
    try:
        node.send_raw_transaction(bytes(row.raw))
    except ClientError as error:
        # Any version may be the one that took the nonce.
        is_mined = any(node.receipts(row.hashes))
        if not is_mined and _is_lost(row, error):
            _give_up(row, error)
        return
    if row.status == Status.SIGNED:
        RelayerTransaction.objects.transition(
            row.pk,
            source=Status.SIGNED,
            target=Status.BROADCAST,
            broadcast_at=timezone.now(),
        )
        logger.info("relayer transaction %s broadcast", row.pk)


def _is_lost(row: RelayerTransaction, error: ClientError) -> bool:
    """Whether a refused transaction can never be mined.

    One that a node took before may be in its pool, whatever it says now: only a nonce
    that is used, and still no receipt after a while, ends it.
    """
    if row.status == Status.SIGNED:
        return True
    patience = timezone.now() - timedelta(seconds=LOST_SECONDS)
    is_old = row.broadcast_at is not None and row.broadcast_at < patience
    return error.code == "nonce-too-low" and is_old


def _give_up(row: RelayerTransaction, error: ClientError) -> None:
    """The node will never take this transaction; its accounts queue up again.

    Its nonce is free for another, or the relayer would wait for it for ever; and its
    hash, because another that is the same to the last byte has the same one.
    """
    logger.error("relayer transaction %s refused: %s", row.pk, error.code)
    with transaction.atomic():
        row_locks.lock_accounts(row_locks.accounts_of([row]))
        if RelayerTransaction.objects.transition(
            row.pk,
            source=row.status,
            target=Status.FAILED,
            nonce=None,
            hash=None,
            failure_code=error.code[:40],
            failure_detail=error.detail,
        ):
            budgets.settle(row=row, cost_wei=0)
            deployments.release(row=row, code=error.code)
