"""Recoveries that guardians started, whoever sent them and wherever.

The module's events say what began and how it ended, so that one which came and went
between two readings is told as well; who is to own the account is in the request alone,
which is read (``recovery_sync``). The module counts: each start moves its nonce on and
every end names the newest nonce, so nonces put all of it in order, however often and in
whatever pieces logs come.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from django.db.models import Q

from onchain.clients.node_recovery import RecoveryRecord
from onchain.clients.node_types import LogRecord
from onchain.models import Chain, RecoveryRequest, RecoverySetup, Safe
from onchain.protocol import recovery_reads
from onchain.protocol.errors import EncodingError
from onchain.protocol.recovery import owners_hash
from onchain.protocol.types import Address, checksum_address

logger = logging.getLogger(__name__)

Status = RecoveryRequest.Status
# Columns are narrower than words. The module takes no more owners than fit in a block.
MOST = 2**31 - 1
LATEST = 2**63 - 1


def named(
    *, chain: Chain, logs: Sequence[LogRecord]
) -> list[tuple[Safe, Address, LogRecord]]:
    """Return the known accounts that logs of the modules are about, in their order."""
    about = [
        (account, log)
        for log in logs
        if (
            account := recovery_reads.account_of(emitter=log.address, topics=log.topics)
        )
    ]
    if not about:
        return []
    accounts = {account for account, _log in about}
    rows = Safe.objects.filter(chain=chain, address__in=accounts)
    safes = {Address(safe.address): safe for safe in rows}
    found = [
        (safes[account], log.address, log) for account, log in about if account in safes
    ]
    return sorted(found, key=lambda each: (each[2].block_number, each[2].log_index))


def named_accounts(*, chain: Chain, logs: Sequence[LogRecord]) -> set[int]:
    """Return the keys of the accounts that ``apply`` writes."""
    return {safe.pk for safe, _module, _log in named(chain=chain, logs=logs)}


def apply(
    *,
    chain: Chain,
    logs: Sequence[LogRecord],
    all_logs: Sequence[LogRecord],
    at: Mapping[int, int],
) -> None:
    """Write which recoveries began and ended; repeating it changes nothing."""
    for safe, module, log in named(chain=chain, logs=logs):
        setup, _created = RecoverySetup.objects.get_or_create(safe=safe, module=module)
        try:
            _apply(setup, log)
        except EncodingError as error:
            # The request is read as well; one odd log must not stop everybody's blocks.
            logger.error("recovery module %s: %s", setup.module_text, error)


def _apply(setup: RecoverySetup, log: LogRecord) -> None:
    topic = log.topics[0]
    if topic == recovery_reads.RECOVERY_EXECUTED:
        started = recovery_reads.parse_recovery_executed(log.topics, log.data)
        _begin(setup, started, log.block_number)
    elif topic == recovery_reads.RECOVERY_FINALIZED:
        finished = recovery_reads.parse_recovery_finalized(log.topics, log.data)
        _end(setup, finished.nonce, Status.FINALIZED, log.block_number)
    elif topic == recovery_reads.RECOVERY_CANCELED:
        _account, nonce = recovery_reads.parse_number_event(log.topics, log.data)
        _end(setup, nonce, Status.CANCELED, log.block_number)


def _begin(
    setup: RecoverySetup, started: recovery_reads.RecoveryExecuted, block_number: int
) -> None:
    row = setup.requests.filter(nonce=started.nonce).first()
    if row is None:
        # Seen by reading, before its log was: its nonce was a guess then.
        row = setup.requests.filter(
            nonce__gt=started.nonce,
            started_block__gte=block_number,
            execute_after=min(started.execute_after, LATEST),
            new_owners_hash=started.new_owners_hash,
        ).first()
    if row is not None:
        setup.requests.filter(pk=row.pk).update(
            nonce=started.nonce, started_block=min(row.started_block, block_number)
        )
        return
    later = setup.requests.filter(nonce__gt=started.nonce).order_by("nonce").first()
    if later is None:
        _replace_pending(setup, block_number)
    row = setup.requests.create(
        nonce=started.nonce,
        new_owners_hash=started.new_owners_hash,
        new_threshold=min(started.new_threshold, MOST),
        approvals=min(started.approvals, MOST),
        execute_after=min(started.execute_after, LATEST),
        started_block=block_number,
        status=Status.PENDING if later is None else Status.REPLACED,
        ended_block=None if later is None else later.started_block,
    )
    logger.warning("recovery request %s of %s began", row.pk, setup)


def _end(setup: RecoverySetup, nonce: int, status: Status, block_number: int) -> None:
    """End the request that waited when the module counted to ``nonce``.

    One that counts as replaced and is the newest by then was ended by this: whatever
    replaced it began later.
    """
    row = setup.requests.filter(nonce__lte=nonce).order_by("-nonce").first()
    if row is None or row.status not in (Status.PENDING, Status.REPLACED):
        return
    moved = RecoveryRequest.objects.transition(
        row.pk, source=row.status, target=status, ended_block=block_number
    )
    if moved:
        logger.warning("recovery request %s is %s", row.pk, status)


def _replace_pending(setup: RecoverySetup, block_number: int) -> None:
    row = setup.pending
    if row is not None:
        RecoveryRequest.objects.transition(
            row.pk,
            source=Status.PENDING,
            target=Status.REPLACED,
            ended_block=block_number,
        )


# --- What is read ---------------------------------------------------------------------


def write(*, setup: RecoverySetup, record: RecoveryRecord, block_number: int) -> None:
    """Write which request the module has at a block; repeating it changes nothing.

    Mostly its log was there before and only the new owners are missing. What no log
    said, because nobody followed then, begins or ends here.
    """
    if not record.tells_request:
        return
    pending, found = setup.pending, record.request
    if found is None:
        if pending is not None:
            _end_unseen(pending, block_number)
        return
    owners = [checksum_address(owner) for owner in found.new_owners]
    if pending is not None and _is_same(pending, found):
        if pending.new_owners is None:
            setup.requests.filter(pk=pending.pk).update(new_owners=owners)
        return
    nonce = max(0, (record.nonce or 0) - 1)  # or an earlier one, if some were skipped
    if setup.requests.filter(nonce__gte=nonce).exists():
        logger.error("%s has a request that does not fit its nonce", setup)
        return
    _replace_pending(setup, block_number)
    row = setup.requests.create(
        nonce=nonce,
        new_owners_hash=owners_hash(found.new_owners),
        new_owners=owners,
        new_threshold=min(found.new_threshold, MOST),
        approvals=min(found.approvals, MOST),
        execute_after=min(found.execute_after, LATEST),
        started_block=block_number,
    )
    logger.warning("recovery request %s of %s was found", row.pk, setup)


def _is_same(row: RecoveryRequest, found: recovery_reads.RecoveryRequest) -> bool:
    is_same_list = row.new_owners_hash == owners_hash(found.new_owners)
    return is_same_list and row.execute_after == min(found.execute_after, LATEST)


def _end_unseen(row: RecoveryRequest, block_number: int) -> None:
    """End a request that is there no more and whose end nobody read."""
    owners = {bytes(owner.address) for owner in row.setup.safe.owners.current()}
    is_done = row.new_owners is not None and owners == set(row.new_owner_list)
    RecoveryRequest.objects.transition(
        row.pk,
        source=Status.PENDING,
        target=Status.FINALIZED if is_done else Status.CANCELED,
        ended_block=block_number,
    )


# --- Reorgs ---------------------------------------------------------------------------


def rewind(*, chain: Chain, fork_number: int) -> None:
    """Take back what began and ended above the fork, and let set-ups be read again.

    Call it in the transaction that undoes the blocks. Safe to repeat.
    """
    own = RecoveryRequest.objects.filter(setup__safe__chain=chain)
    own.filter(started_block__gt=fork_number).delete()
    # One at most of each set-up: what waited at the fork.
    for row in own.filter(~Q(status=Status.PENDING), ended_block__gt=fork_number):
        RecoveryRequest.objects.transition(
            row.pk, source=row.status, target=Status.PENDING, ended_block=None
        )
    setups = RecoverySetup.objects.filter(safe__chain=chain)
    setups.filter(read_block__gt=fork_number).update(read_block=None)
