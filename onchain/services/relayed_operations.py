"""Carrying an operation to the EntryPoint with the relayer's own key.

The way out when no bundler gets an operation into a block. ``EntryPoint.handleOps`` may
be called by anybody and pays the caller back from what the operation may be charged
(ERC-4337, section "EntryPoint"); the relayer adds nothing to the operation and has no
power over it. When a bundler is faster, the transaction fails and the payment is made
once all the same.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from onchain.clients.errors import ClientError
from onchain.clients.node import Node
from onchain.clients.node_types import AccountSnapshot
from onchain.models import RelayerTransaction, UserOperation
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.types import Address
from onchain.protocol.user_operation import UserOperationV07, handle_ops_data
from onchain.protocol.validation import gas_limit_total
from onchain.services.sponsor_limits import SAFETY_KINDS

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3  # for one operation; each costs gas when a bundler is faster
# In vain, for all operations of one account in a day: whoever makes them fail shall not
# use up what is there for everybody.
MAX_FAILURES = 10
END_SECONDS = 30  # nothing is sent that may be too late when its block comes
# What a transaction costs before the EntryPoint begins to count: 21,000, its call data
# (EIP-2028: 16 for each byte that is not zero, else 4), and the EntryPoint's own steps,
# measured on the local chain: 16,500 to 19,100.
TRANSACTION_GAS = 21_000
ENTRY_POINT_GAS = 20_000
# The EntryPoint asks for a 64th more than the limits, to pass them on (EIP-150).
LIMIT_MARGIN_PERCENT = 110


def is_under_way(op: UserOperation) -> bool:
    """Whether a signed transaction of the relayer carries it at this moment."""
    Status = RelayerTransaction.Status
    rows = op.relayer_transactions.filter(status__in=[Status.SIGNED, Status.BROADCAST])
    return rows.exists()


def is_next(op: UserOperation, snapshot: AccountSnapshot) -> bool:
    """Whether the EntryPoint would take the operation's nonce now."""
    return snapshot.nonces.get(op.nonce_key or 0) == op.nonce_sequence


def queue(
    *,
    op: UserOperation,
    signed: UserOperationV07,
    node: Node,
    snapshot: AccountSnapshot,
    relayer: Address,
) -> bool:
    """Leave a transaction for the relayer; False when the operation may not have one.

    One at a time for each operation: the database holds that. Safe to repeat.

    Raises:
        TransientClientError: the node is out of reach; nothing was queued.
    """
    if not settings.RELAYER_CARRIES_OPERATIONS or not is_next(op, snapshot):
        return False
    if (op.valid_until or 0) < snapshot.head_timestamp + END_SECONDS:
        return False
    if op.relayer_transactions.filter(gas_used__isnull=False).count() >= MAX_ATTEMPTS:
        logger.error("operation %s was carried %s times in vain", op.pk, MAX_ATTEMPTS)
        return False
    if _failures_today(op) >= MAX_FAILURES:
        logger.error("account %s was carried in vain too often", op.safe_id)
        return False
    data = handle_ops_data([signed], relayer)
    loss = expected_loss_wei(signed, data=data, snapshot=snapshot)
    if loss > settings.RELAYER_CARRY_LOSS_WEI:
        logger.warning("carrying operation %s would lose %s wei", op.pk, loss)
        return False
    try:
        node.call(ENTRY_POINT, data, sender=relayer, block="pending")
    except ClientError as error:
        logger.warning("operation %s would not be carried out: %s", op.pk, error)
        return False
    return _store(op, signed, data)


def _failures_today(op: UserOperation) -> int:
    """Return how many transactions for the account's operations failed on chain."""
    day = timezone.now() - timedelta(days=1)
    failed = RelayerTransaction.objects.filter(
        operation__safe=op.safe_id,
        status=RelayerTransaction.Status.FAILED,
        gas_used__isnull=False,
        created_at__gte=day,
    )
    return failed.count()


def expected_loss_wei(
    op: UserOperationV07, *, data: bytes, snapshot: AccountSnapshot
) -> int:
    """Return the most, in wei, that the EntryPoint's refund may fall short of the cost.

    The refund is for what the EntryPoint counts and ``preVerificationGas``, at the
    operation's price; the cost is for what it counts and what it does not see, at the
    relayer's price. Both grow evenly with what it counts, so the ends decide.
    """
    base_fee = snapshot.base_fee_wei
    ceiling = settings.MAX_FEE_PER_GAS
    own_price = min(base_fee + snapshot.tip_wei, ceiling)
    refund_price = min(op.max_fee_per_gas, base_fee + op.max_priority_fee_per_gas)
    unseen = unseen_gas(data)
    most = gas_limit_total(op) - op.pre_verification_gas
    return max(
        0,
        *(
            (unseen + counted) * own_price
            - (op.pre_verification_gas + counted) * refund_price
            for counted in (0, most)
        ),
    )


def unseen_gas(data: bytes) -> int:
    """Return the gas of the transaction that the EntryPoint does not count itself."""
    zeros = data.count(0)
    return TRANSACTION_GAS + 4 * zeros + 16 * (len(data) - zeros) + ENTRY_POINT_GAS


def _store(op: UserOperation, signed: UserOperationV07, data: bytes) -> bool:
    limit = gas_limit_total(signed) * LIMIT_MARGIN_PERCENT // 100 + unseen_gas(data)
    try:
        with transaction.atomic():
            row = RelayerTransaction.objects.create(
                chain=op.safe.chain,
                purpose=RelayerTransaction.Purpose.HANDLE_OPS,
                is_safety=op.kind in SAFETY_KINDS,
                operation=op,
                to=ENTRY_POINT,
                data=data,
                gas_limit=limit,
            )
    except IntegrityError:
        logger.info("operation %s is being carried already", op.pk)
        return True
    logger.warning("operation %s is carried by relayer transaction %s", op.pk, row.pk)
    return True
