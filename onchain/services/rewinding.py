"""The undoing of what blocks did to operations, accounts and relayer transactions.

No network here: what the chain that is left says is read again afterwards.
"""

from __future__ import annotations

from onchain.models import Chain, RelayerTransaction, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.services import budgets, owner_sync, row_locks, sponsor_payments
from onchain.services.inclusion import SETTLED

# What a block wrote into an operation, empty again.
UNDONE = {
    "transaction_hash": None,
    "block_number": None,
    "actual_gas_cost_wei": None,
    "actual_gas_used": None,
    "included_at": None,
    "failure_detail": "",
}


def rewind(*, chain: Chain, fork_number: int) -> None:
    """Take back outcomes, deployments, balances and receipts above the fork.

    Call it in the transaction that undoes the blocks.
    """
    _reopen_operations(chain, fork_number)
    safes = Safe.objects.filter(chain=chain)
    for safe in safes.filter(deployed_block__gt=fork_number):
        target = Safe.Status.BROADCAST
        if safe.deployment_transaction_id is None:
            target = Safe.Status.QUEUED
        Safe.objects.transition(
            safe.pk, source=Safe.Status.DEPLOYED, target=target, deployed_block=None
        )
        owner_sync.begin_again(safe=safe)
    safes.filter(synced_at_block__gt=fork_number).update(synced_at_block=None)
    # Read again from the chain that is left, whatever the lost blocks had changed.
    safes.filter(owners_synced_block__gt=fork_number).update(owners_synced_block=None)
    safes.filter(noticed_block__gt=fork_number).update(noticed_block=None)
    mined = RelayerTransaction.objects.filter(
        chain=chain, block_number__gt=fork_number
    ).order_by("pk")
    row_locks.lock_relayed(mined)
    for row in mined:
        budgets.settle(row=row, cost_wei=row.max_fee_wei)
        RelayerTransaction.objects.transition(
            row.pk,
            source=row.status,
            target=RelayerTransaction.Status.BROADCAST,
            block_number=None,
            gas_used=None,
            failure_code="",
            account_claim=None if _has_rival(row) else row.account_claim_id,
        )


def _has_rival(row: RelayerTransaction) -> bool:
    """Whether the recovery went on with another transaction since.

    One of a claim is in flight at a time. The older one still holds its nonce, so it is
    sent again, and the chain refuses whichever of them comes second.
    """
    settled = [RelayerTransaction.Status.MINED, RelayerTransaction.Status.FAILED]
    rivals = RelayerTransaction.objects.exclude(status__in=settled)
    claim = row.account_claim_id
    return claim is not None and rivals.filter(account_claim=claim).exists()


def _reopen_operations(chain: Chain, fork_number: int) -> None:
    """Take operations back to where they were; carried out ones choose first.

    No two open operations share a nonce: where another one holds it by now, this one
    counts as replaced until a block says otherwise.
    """
    undone = UserOperation.objects.filter(
        safe__chain=chain, block_number__gt=fork_number
    )
    settled = list(undone.filter(status__in=SETTLED))
    for op in [*settled, *undone.filter(status=Status.REPLACED)]:
        nonce = {"nonce_key": op.nonce_key, "nonce_sequence": op.nonce_sequence}
        rivals = UserOperation.objects.open().filter(safe=op.safe_id, **nonce)
        target = Status.SUBMITTED
        if rivals.exists():
            target = Status.REPLACED
        elif op.signed_at is None:
            target = Status.AWAITING_SIGNATURES
        sponsor_payments.reopen(op=op)
        sponsor_payments.reinstate_overtaken(op=op)
        if target == op.status:
            UserOperation.objects.filter(pk=op.pk).update(**UNDONE)
            continue
        code = "replaced" if target == Status.REPLACED else ""
        undo = dict(UNDONE)
        if target == Status.SUBMITTED:
            # The bundler may have forgotten it without a word: sent again at once.
            undo["attempted_at"] = None
        UserOperation.objects.transition(
            op.pk, source=op.status, target=target, failure_code=code, **undo
        )
