"""Batches of new accounts: which go next, how many together, signed and stored.

A batch is cut in halves until it fits into half a block and into today's budget.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db import IntegrityError, transaction
from eth_account.signers.local import LocalAccount

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.errors import OverBudget, QuotaTaken
from onchain.models import Budget, Chain, RelayerTransaction, Safe
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.types import Call
from onchain.services import (
    budgets,
    deployments,
    network_quotas,
    relayer,
    row_locks,
)

logger = logging.getLogger(__name__)

GAS_MARGIN_PERCENT = 120
TRANSACTION_GAS_CAP = 2**24  # EIP-7825: no block takes a transaction with more
TOO_MUCH_GAS = "too-much-gas"
DEPLOYMENTS = Budget.Pool.DEPLOYMENTS


def sign_next_batch(
    *, chain: Chain, node: Node, account: LocalAccount
) -> RelayerTransaction | None:
    """Sign one deployment for the accounts at the head of the queue.

    The accounts, their places in today's quotas, the promise of the budget and the
    stored transaction come together or not at all, so no account is in two
    transactions. None: nothing to do, no budget, or another worker was first.

    Raises:
        NotNow: fees or funds do not allow it; nothing changed.
        TransientClientError: the node is out of reach or will not answer; nothing
            changed.
    """
    if chain.deployments_paused:
        return None
    if budgets.was_just_refused(chain=chain, pool=DEPLOYMENTS):
        return None
    missing = deployments.missing_on_chain(safes=_next_batch(chain), node=node)
    return _sign_what_fits(chain, node, account, missing) if missing else None


def _next_batch(chain: Chain) -> list[Safe]:
    """Return the first in the queue; what failed before goes alone, and last."""
    asked = Safe.objects.awaiting_deployment().filter(chain=chain)
    queue = network_quotas.within(asked).prefetch_related("owners__credential")
    fresh = list(queue.filter(deployment_attempts=0)[: settings.DEPLOYMENT_BATCH])
    return network_quotas.first_within(chain=chain, safes=fresh) or list(queue[:1])


def _sign_what_fits(
    chain: Chain,
    node: Node,
    account: LocalAccount,
    missing: Mapping[Safe, Sequence[Call]],
) -> RelayerTransaction | None:
    most = min(node.block_gas_limit() // 2, TRANSACTION_GAS_CAP)
    safes = list(missing)
    while True:
        # All or nothing: with failures allowed, the estimate would settle on a limit
        # at which the calls inside run out of gas and the transaction still succeeds.
        calls = [call for safe in safes for call in missing[safe]]
        data = aggregate3_data(calls, allow_failure=False)
        gas_limit = _gas_limit(node, account, data, safes)
        if gas_limit is None:
            return None
        if gas_limit <= most:
            try:
                return _sign(chain, node, account, safes, data, gas_limit)
            except OverBudget as error:
                if len(safes) == 1:
                    budgets.note_refusal(chain=chain, pool=error.pool)
                    return None
        elif len(safes) == 1:
            words = f"{gas_limit} gas, {most} allowed"
            deployments.fail(safe=safes[0], error=ClientError(TOO_MUCH_GAS, words))
            return None
        safes = safes[: len(safes) // 2]


def _gas_limit(
    node: Node, account: LocalAccount, data: bytes, safes: Sequence[Safe]
) -> int | None:
    """Return the gas that a batch may use; None: it would fail, which is noted.

    Raises:
        TransientClientError: the node will not say.
    """
    sender = relayer.sender_of(account)
    try:
        estimate = node.estimate_gas(sender=sender, to=MULTICALL3, value=0, data=data)
    except ClientError as error:
        if error.code != "execution-reverted":
            raise TransientClientError(error.code) from error
        deployments.note_failure(safes=safes, error=error)
        return None
    return estimate * GAS_MARGIN_PERCENT // 100


def _sign(
    chain: Chain,
    node: Node,
    account: LocalAccount,
    safes: Sequence[Safe],
    data: bytes,
    gas_limit: int,
) -> RelayerTransaction | None:
    signed = relayer.sign(
        chain=chain,
        node=node,
        account=account,
        to=MULTICALL3,
        value_wei=0,
        data=data,
        gas_limit=gas_limit,
    )
    try:
        row = _store(chain, safes, data, signed)
    except (IntegrityError, QuotaTaken) as error:
        logger.info("deployment batch given up: %s", error)
        return None
    logger.info("deployment of %s safes signed as %s", len(safes), row.pk)
    return row


@transaction.atomic
def _store(
    chain: Chain,
    safes: Sequence[Safe],
    data: bytes,
    signed: relayer.SignedTransaction,
) -> RelayerTransaction:
    """Promise its cost, take its places, store it and move its accounts, or nothing."""
    row_locks.lock_accounts([safe.pk for safe in safes])
    budget = budgets.reserve(
        chain=chain, pools=(DEPLOYMENTS,), cost_wei=signed.max_fee_wei
    )
    network_quotas.take(chain=chain, safes=safes)
    row = RelayerTransaction.objects.create(
        chain=chain,
        purpose=RelayerTransaction.Purpose.DEPLOY,
        to=MULTICALL3,
        data=data,
        status=RelayerTransaction.Status.SIGNED,
        **relayer.signed_fields(signed),
        **relayer.charge(signed, budget),
    )
    for safe in safes:
        if not Safe.objects.transition(
            safe.pk,
            source=Safe.Status.QUEUED,
            target=Safe.Status.BROADCAST,
            deployment_transaction=row,
        ):
            raise IntegrityError(f"safe {safe.pk} is in another batch")
    return row
