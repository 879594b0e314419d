"""Ether that accounts of ours received: found in blocks, written, undone.

Three things say so, each exactly once. An account with code emits SafeReceived. One
without code emits nothing: then it is the transaction that sent the ether, or our own
operation that did. What a contract that is not ours sends to an account without code is
in no log and in no transaction's ``to``; the balance shows it when it is read next.

No network here, and whatever is written twice is there once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from onchain.clients.node_types import BlockRecord, LogRecord, Payment, Receipt
from onchain.models import Chain, Safe, Transfer, UserOperation
from onchain.protocol.errors import EncodingError
from onchain.protocol.events import (
    SAFE_RECEIVED,
    USER_OPERATION_EVENT,
    parse_safe_received,
    parse_user_operation_event,
)
from onchain.protocol.types import Address, Bytes32
from onchain.services.known_accounts import known_accounts

logger = logging.getLogger(__name__)

Times = Mapping[int, int]  # a block's timestamp in seconds, by its number
LAST_SECOND = 253_402_300_799  # of the year 9999; a test chain's clock has no end
Arrival = tuple[Bytes32, Address, Address, int]  # transaction, from, to, wei


def apply_received(
    *, chain: Chain, logs: Sequence[LogRecord], all_logs: Sequence[LogRecord], at: Times
) -> None:
    """Write what accounts of ours say that they received."""
    safes = known_accounts(chain=chain, addresses=(log.address for log in logs))
    rows = []
    for log in logs:
        received = _received(log)
        if log.address not in safes or received is None or received[1] == 0:
            continue
        sender, value_wei = received
        rows.append(
            _row(safes[log.address], sender, value_wei, log, index=log.log_index, at=at)
        )
    Transfer.objects.bulk_create(rows, ignore_conflicts=True)


def apply_sent(
    *, chain: Chain, logs: Sequence[LogRecord], all_logs: Sequence[LogRecord], at: Times
) -> None:
    """Write what our operations paid to accounts of ours that have no code yet."""
    hashes = {log.topics[1]: log for log in logs if _succeeded(log)}
    payments = sent_to_accounts(chain=chain, hashes=list(hashes))
    if not payments:
        return
    said = _said(all_logs)
    rows = []
    for op, safe in payments:
        log = hashes[Bytes32(op.user_operation_hash or b"")]
        sender = Address(op.safe.address)
        arrival = (log.transaction_hash, sender, Address(safe.address), op.value_wei)
        if arrival not in said and op.value_wei > 0:
            rows.append(
                _row(safe, sender, op.value_wei, log, index=log.log_index, at=at)
            )
    Transfer.objects.bulk_create(rows, ignore_conflicts=True)


def sent_to_accounts(
    *, chain: Chain, hashes: Sequence[Bytes32]
) -> list[tuple[UserOperation, Safe]]:
    """Return those payments of ours among the operations that went to our accounts."""
    if not hashes:
        return []
    ops = UserOperation.objects.filter(
        safe__chain=chain,
        kind=UserOperation.Kind.PAYMENT,
        user_operation_hash__in=hashes,
    ).select_related("safe")
    payments = list(ops)
    recipients = (Address(op.recipient) for op in payments)
    safes = known_accounts(chain=chain, addresses=recipients)
    return [
        (op, safes[Address(op.recipient)])
        for op in payments
        if Address(op.recipient) in safes
    ]


def unlogged(
    *, chain: Chain, blocks: Sequence[BlockRecord], logs: Sequence[LogRecord]
) -> list[tuple[Safe, Payment]]:
    """Return transactions that pay our accounts, and of which these say nothing.

    Whether one succeeded is in its receipt: ether that a contract sent back did not
    arrive.
    """
    payments = [payment for block in blocks for payment in block.payments]
    safes = known_accounts(chain=chain, addresses=(item.to for item in payments))
    if not safes:
        return []
    said = _said(logs)
    return [
        (safes[item.to], item)
        for item in payments
        if item.to in safes
        and (item.transaction_hash, item.sender, item.to, item.value_wei) not in said
    ]


def apply_unlogged(
    *, found: Sequence[tuple[Safe, Payment]], receipts: Sequence[Receipt], at: Times
) -> None:
    """Write the transactions that succeeded."""
    rows = [
        Transfer(
            chain_id=safe.chain_id,
            safe=safe,
            sender=payment.sender,
            value_wei=payment.value_wei,
            transaction_hash=payment.transaction_hash,
            block_number=receipt.block_number,
            received_at=moment(at[receipt.block_number]),
        )
        for (safe, payment), receipt in zip(found, receipts, strict=True)
        if receipt.succeeded
    ]
    Transfer.objects.bulk_create(rows, ignore_conflicts=True)


def rewind(*, chain: Chain, fork_number: int) -> None:
    """Forget what arrived above the fork."""
    Transfer.objects.filter(chain=chain, block_number__gt=fork_number).delete()


def moment(seconds: int) -> datetime:
    """Return a block's time, as far as a calendar has it."""
    return datetime.fromtimestamp(min(seconds, LAST_SECOND), tz=UTC)


def _row(
    safe: Safe,
    sender: Address,
    value_wei: int,
    log: LogRecord,
    *,
    index: int,
    at: Times,
) -> Transfer:
    return Transfer(
        chain_id=safe.chain_id,
        safe=safe,
        sender=sender,
        value_wei=value_wei,
        transaction_hash=log.transaction_hash,
        log_index=index,
        block_number=log.block_number,
        received_at=moment(at[log.block_number]),
    )


def _received(log: LogRecord) -> tuple[Address, int] | None:
    try:
        return parse_safe_received(log.topics, log.data)
    except EncodingError:
        logger.info("unreadable SafeReceived in block %s", log.block_number)
        return None


def _said(logs: Sequence[LogRecord]) -> set[Arrival]:
    """Return what accounts said that they received."""
    said = set()
    for log in logs:
        if log.topics[0] == SAFE_RECEIVED and (received := _received(log)) is not None:
            said.add((log.transaction_hash, received[0], log.address, received[1]))
    return said


def _succeeded(log: LogRecord) -> bool:
    if log.topics[0] != USER_OPERATION_EVENT:
        return False
    try:
        return parse_user_operation_event(log.topics, log.data).succeeded
    except EncodingError:
        return False
