"""Carrying enough approvals to the recovery module, in one transaction.

``aggregate3`` puts the signers on chain that are missing, the claimant's and the
guardians', hands all signatures in and starts the delay: all of it, or nothing. The
transaction is stored before it is sent, as all of the relayer's are, and whoever sent
the same first did no harm: the module's own request decides.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.models import AccountClaim, GuardianApproval, Owner, RelayerTransaction
from onchain.models.owner import public_key_of
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.owners import create_signer_call
from onchain.protocol.recovery import (
    execute_recovery_call,
    multi_confirm_recovery_call,
)
from onchain.protocol.recovery_state import RecoveryState
from onchain.protocol.types import Address, Call, PublicKey, checksum_address
from onchain.services import (
    guardian_approvals,
    module_codes,
    recovery_moves,
    recovery_reading,
    signers,
)
from onchain.services.deployment_batches import GAS_MARGIN_PERCENT, TRANSACTION_GAS_CAP

logger = logging.getLogger(__name__)

Status = AccountClaim.Status
Relayed = RelayerTransaction.Status
Purpose = RelayerTransaction.Purpose
MAX_ATTEMPTS = 3  # transactions in vain, before a person has to look
RETRY_SECONDS = 30
IN_FLIGHT = (Relayed.QUEUED, Relayed.SIGNED, Relayed.BROADCAST)


def collect(*, row: AccountClaim, state: RecoveryState) -> None:
    """Keep who may approve as the chain has it; READY once enough of them did.

    Guardians may come and go while a claim collects: what the others signed counts on.
    """
    columns = recovery_moves.guardian_columns(state)
    enough = len(_approving(row, state)) >= columns["needed"]
    if not enough and not row.claim.is_open:
        code = "withdrawn" if row.claim.withdrawn_at else "not-enough-approvals"
        recovery_moves.stop(row=row, code=code)
    elif enough and row.status == Status.COLLECTING:
        recovery_moves.move(row=row, target=Status.READY, **columns)
    elif not enough and row.status == Status.READY:
        recovery_moves.move(row=row, target=Status.COLLECTING, **columns)
    else:
        recovery_moves.later(row=row, **columns)


def _approving(row: AccountClaim, state: RecoveryState) -> set[Address]:
    """Return the guardians whose approval counts: signed here, or made on chain."""
    signed = guardian_approvals.counting(row=row, guardians=state.guardians)
    return {Address(item.guardian) for item in signed} | set(state.approved)


def relay(
    *, row: AccountClaim, state: RecoveryState, node: Node, relayer: Address
) -> None:
    """Leave the transaction for the relayer: READY becomes RELAYING, with it or not.

    The account is asked once more whether it would take the new owners. Safe to repeat
    and to run beside itself: one transaction of a claim at a time.

    Raises:
        TransientClientError: the node is out of reach; nothing was queued.
    """
    if row.status != Status.READY:
        return
    if Address(row.module) in module_codes.changed(row.safe.chain):
        recovery_moves.later(row=row)
        return
    if not recovery_reading.would_finish(row=row, state=state, node=node):
        recovery_moves.stop(row=row, code="would-not-finish")
        return
    calls = [*_missing_signers(row, node), _start_call(row, state)]
    data = aggregate3_data(calls, allow_failure=False)
    try:
        estimate = node.estimate_gas(sender=relayer, to=MULTICALL3, value=0, data=data)
    except ClientError as error:
        _note_failure(row, node, error)
        return
    limit = estimate * GAS_MARGIN_PERCENT // 100
    if limit > min(node.block_gas_limit() // 2, TRANSACTION_GAS_CAP):
        recovery_moves.stop(row=row, code="too-much-gas")
        return
    store(
        row=row,
        target=Status.RELAYING,
        purpose=Purpose.RECOVER,
        call=Call(to=MULTICALL3, value_wei=0, data=data),
        gas_limit=limit,
    )


def _start_call(row: AccountClaim, state: RecoveryState) -> Call:
    """Return the call that hands in what the chain does not have yet, and starts."""
    signed = guardian_approvals.counting(row=row, guardians=state.guardians)
    new = [item for item in signed if Address(item.guardian) not in state.approved]
    if not new:
        return execute_recovery_call(row.recovery)
    return multi_confirm_recovery_call(
        row.recovery,
        signatures=[guardian_approvals.signature_of(item) for item in new],
        execute=True,
    )


def _missing_signers(row: AccountClaim, node: Node) -> list[Call]:
    """Return createSigner for passkeys that the recovery needs and the chain lacks."""
    keys = _passkeys(row, guardian_approvals.valid(row=row))
    if not keys:
        return []
    codes = node.codes(list(keys), "latest")
    return [
        create_signer_call(public_key=key, verifiers=row.safe.verifiers)
        for key, code in zip(keys.values(), codes, strict=True)
        if not code
    ]


def _passkeys(
    row: AccountClaim, approvals: Sequence[GuardianApproval]
) -> dict[Address, PublicKey]:
    """Return, by signer, the passkeys known here among new owners and guardians."""
    credentials = [row.claim.credential, *(item.credential for item in approvals)]
    kept = Owner.objects.filter(safe=row.safe, address__in=row.new_owner_list)
    credentials += [owner.credential for owner in kept.select_related("credential")]
    wanted = {*row.new_owner_list, *(Address(item.guardian) for item in approvals)}
    found = {}
    for credential in credentials:
        if credential is not None:
            key = public_key_of(credential)
            found[signers.signer_for(public_key=key, safe=row.safe)] = key
    return {signer: key for signer, key in found.items() if signer in wanted}


def _note_failure(row: AccountClaim, node: Node, error: ClientError) -> None:
    """Count an attempt that the chain would refuse, and look at each approval again.

    Raises:
        TransientClientError: the node refused to say.
    """
    if error.code != "execution-reverted":
        raise TransientClientError(error.code) from error
    logger.warning("claim %s would not start: %s", row.pk, error)
    guardian_approvals.look_again(row=row, node=node)
    failed(row=row, target=Status.COLLECTING)


def failed(*, row: AccountClaim, target: str) -> None:
    """Take a claim back after an attempt in vain; too many of them end it."""
    attempts = row.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        recovery_moves.stop(row=row, code="relay-refused")
    else:
        recovery_moves.move(
            row=row,
            target=target,
            attempts=attempts,
            look_at=recovery_moves.in_seconds(RETRY_SECONDS),
        )


def watch(*, row: AccountClaim) -> None:
    """Look what became of the transaction that starts the recovery.

    One that failed is tried again, from the approvals on.
    """
    sent = latest(row=row, purpose=Purpose.RECOVER)
    if sent is None:
        recovery_moves.move(row=row, target=Status.READY)
    elif sent.status == Relayed.FAILED:
        failed(row=row, target=Status.READY)
    else:
        recovery_moves.later(row=row)


def latest(*, row: AccountClaim, purpose: str) -> RelayerTransaction | None:
    """Return the newest transaction of a claim for a purpose."""
    rows = row.relayer_transactions.filter(purpose=purpose)
    return rows.order_by("-pk").first()


def store(
    *, row: AccountClaim, target: str, purpose: str, call: Call, gas_limit: int
) -> bool:
    """Queue a transaction and move its claim, or neither; False: another was first."""
    try:
        with transaction.atomic():
            sent = RelayerTransaction.objects.create(
                chain=row.safe.chain,
                purpose=purpose,
                requested_by=row.claim.user,
                account_claim=row,
                to=call.to,
                data=call.data,
                gas_limit=gas_limit,
            )
            if not recovery_moves.move(row=row, target=target):
                raise IntegrityError(f"claim {row.pk} moved on")
    except IntegrityError as error:
        logger.info("nothing queued for claim %s: %s", row.pk, error)
        return False
    logger.info(
        "claim %s of %s is sent as relayer transaction %s",
        row.pk,
        checksum_address(Address(row.safe.address)),
        sent.pk,
    )
    return True
