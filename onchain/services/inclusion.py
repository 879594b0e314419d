"""What blocks do to rows: outcomes, deployments, balances.

No network here: the follower reads, this writes, in one transaction per block. The
EntryPoint's log has the last word about an operation (security.md R46).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from onchain.clients.node_types import LogRecord, Receipt
from onchain.models import Chain, RelayerTransaction, Safe, UserOperation
from onchain.models.operation_states import OPEN, Status
from onchain.protocol.deployments import ENTRY_POINT, SAFE_PROXY_FACTORY
from onchain.protocol.errors import EncodingError
from onchain.protocol.events import (
    USER_OPERATION_EVENT,
    USER_OPERATION_REVERT_REASON,
    UserOperationOutcome,
    parse_revert_reason,
    parse_user_operation_event,
    topic_address,
)
from onchain.protocol.revert import decode_revert
from onchain.protocol.types import Address, Bytes32
from onchain.protocol.user_operation import split_nonce
from onchain.services import (
    authorization,
    budgets,
    deployments,
    sponsor_payments,
    transfers,
)
from onchain.services.known_accounts import known_accounts
from onchain.services.safes import look_again

logger = logging.getLogger(__name__)

SETTLED = (Status.INCLUDED, Status.REVERTED)
UNKNOWN_BALANCES = 50  # accounts without a balance that one pass asks about


def apply_outcomes(
    *,
    chain: Chain,
    logs: Sequence[LogRecord],
    all_logs: Sequence[LogRecord],
    at: Mapping[int, int],
) -> None:
    """Write what the EntryPoint says became of operations of our accounts."""
    outcomes = [
        (log, outcome)
        for log in logs
        if log.address == ENTRY_POINT and (outcome := _outcome(log)) is not None
    ]
    senders = (outcome.sender for _log, outcome in outcomes)
    known = known_accounts(chain=chain, addresses=senders)
    reasons = _revert_reasons(all_logs) if known else {}
    for log, outcome in outcomes:
        if outcome.sender in known:
            _settle(chain, outcome, log, reasons.get(outcome.operation_hash, ""))


def apply_deployments(
    *,
    chain: Chain,
    logs: Sequence[LogRecord],
    all_logs: Sequence[LogRecord],
    at: Mapping[int, int],
) -> None:
    """Note which of our accounts the factory put on chain."""
    made = [log for log in logs if log.address == SAFE_PROXY_FACTORY and log.topics[1:]]
    addresses = (topic_address(log.topics[1]) for log in made)
    known = known_accounts(chain=chain, addresses=addresses)
    for log in made:
        if topic_address(log.topics[1]) in known:
            _note_deployment(chain, log)


def _outcome(log: LogRecord) -> UserOperationOutcome | None:
    try:
        return parse_user_operation_event(log.topics, log.data)
    except EncodingError:
        logger.exception("unreadable UserOperationEvent")
        return None


def _revert_reasons(logs: Sequence[LogRecord]) -> dict[Bytes32, str]:
    reasons = {}
    for log in logs:
        if log.address != ENTRY_POINT:
            continue
        if log.topics[0] == USER_OPERATION_REVERT_REASON:
            try:
                operation_hash, data = parse_revert_reason(log.topics, log.data)
            except EncodingError:
                logger.exception("unreadable UserOperationRevertReason")
                continue
            reasons[operation_hash] = decode_revert(data)
    return reasons


def _settle(
    chain: Chain, outcome: UserOperationOutcome, log: LogRecord, reason: str
) -> None:
    key, sequence = split_nonce(outcome.nonce)
    same_nonce = UserOperation.objects.filter(
        safe__chain=chain,
        safe__address=outcome.sender,
        nonce_key=key,
        nonce_sequence=sequence,
    ).exclude(status__in=SETTLED)
    # Locked: the worker that sent it may be writing SUBMITTED at this moment, and the
    # block is read once only.
    for op in same_nonce.select_for_update(of=("self",)):
        if op.user_operation_hash == outcome.operation_hash:
            _record_outcome(op, outcome, log, reason)
        elif op.status in OPEN or op.status == Status.REJECTED:
            UserOperation.objects.transition(
                op.pk,
                source=op.status,
                target=Status.REPLACED,
                failure_code="replaced",
                block_number=log.block_number,
            )


def _record_outcome(
    op: UserOperation, outcome: UserOperationOutcome, log: LogRecord, reason: str
) -> None:
    target = Status.INCLUDED if outcome.succeeded else Status.REVERTED
    moved = UserOperation.objects.transition(
        op.pk,
        source=op.status,
        target=target,
        transaction_hash=log.transaction_hash,
        block_number=log.block_number,
        actual_gas_cost_wei=outcome.actual_gas_cost_wei,
        actual_gas_used=outcome.actual_gas_used,
        included_at=timezone.now(),
        failure_code="" if outcome.succeeded else "execution-reverted",
        failure_detail=reason[:500],
    )
    if not moved:
        return
    logger.info("operation %s %s in block %s", op.pk, target, log.block_number)
    sponsor_payments.settle(op=op, cost_wei=outcome.actual_gas_cost_wei)
    if outcome.succeeded:
        authorization.mark_owners_proven(op)


def _note_deployment(chain: Chain, log: LogRecord) -> None:
    address = topic_address(log.topics[1])
    safes = Safe.objects.filter(chain=chain, address=address)
    safe = safes.select_related("deployment_transaction").first()
    if safe is None:
        return
    if safe.layout != Safe.Layout.DIRECT:
        # Its address says how it is set up, whoever made it.
        deployments.mark_deployed(safe=safe, block_number=log.block_number)
        return
    ours = safe.deployment_transaction
    if ours is not None and log.transaction_hash in ours.hashes:
        deployments.mark_deployed(safe=safe, block_number=log.block_number)
    else:
        # Somebody else made it, perhaps without its signers.
        look_again(safe=safe, block_number=log.block_number)


def touched_safes(
    *, chain: Chain, addresses: Sequence[Address], logs: Sequence[LogRecord]
) -> list[Safe]:
    """Return the accounts whose balance a block may have moved, or is not known."""
    named = set(addresses)
    carried_out = []
    for log in logs:
        named.add(log.address)
        if log.topics[0] == USER_OPERATION_EVENT and len(log.topics) == 4:
            named.add(topic_address(log.topics[2]))
            carried_out.append(log.topics[1])
    known = known_accounts(chain=chain, addresses=named)
    paid = transfers.sent_to_accounts(chain=chain, hashes=carried_out)
    safes = {safe.pk: safe for safe in (*known.values(), *(safe for _op, safe in paid))}
    unknown = Safe.objects.filter(chain=chain, synced_at_block__isnull=True)
    return [*({safe.pk: safe for safe in unknown[:UNKNOWN_BALANCES]} | safes).values()]


def apply_balances(*, balances: Mapping[int, int], block_number: int) -> None:
    """Write balances in wei by account."""
    rows = [
        Safe(pk=pk, balance_wei=balance, synced_at_block=block_number)
        for pk, balance in balances.items()
    ]
    Safe.objects.bulk_update(rows, ["balance_wei", "synced_at_block"], batch_size=500)


def deployed_accounts(*, chain: Chain, logs: Sequence[LogRecord]) -> set[int]:
    """Return the keys of our accounts that the factory put on chain."""
    made = [log for log in logs if log.address == SAFE_PROXY_FACTORY and log.topics[1:]]
    addresses = (topic_address(log.topics[1]) for log in made)
    return {
        safe.pk for safe in known_accounts(chain=chain, addresses=addresses).values()
    }


@transaction.atomic
def apply_receipt(*, row: RelayerTransaction, receipt: Receipt) -> None:
    """Settle a relayer transaction; a failed deployment queues its accounts again."""
    target = (
        RelayerTransaction.Status.MINED
        if receipt.succeeded
        else RelayerTransaction.Status.FAILED
    )
    # In this order: the worker that sent it may be writing BROADCAST at this moment.
    for source in (
        RelayerTransaction.Status.SIGNED,
        RelayerTransaction.Status.BROADCAST,
    ):
        if RelayerTransaction.objects.transition(
            row.pk,
            source=source,
            target=target,
            block_number=receipt.block_number,
            gas_used=receipt.gas_used,
            failure_code="" if receipt.succeeded else "reverted",
        ):
            logger.info("relayer transaction %s %s", row.pk, target)
            budgets.settle(row=row, cost_wei=receipt.fee_wei)
            deployments.release(
                row=row, code=None if receipt.succeeded else "deployment-reverted"
            )
            return
