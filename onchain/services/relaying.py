"""One round of the relayer: what is signed goes out first, then what is queued."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db.models import Q
from django.utils import timezone
from eth_account.signers.local import LocalAccount

from onchain.clients.node import Node
from onchain.errors import NotNow
from onchain.models import Chain, RelayerTransaction
from onchain.services import (
    broadcasting,
    deployment_batches,
    deployments,
    relayer,
    replacement,
    safes,
)

AGAIN_SECONDS = 2  # a transaction sent moments ago is not sent again


def run(*, chain: Chain, node: Node, account: LocalAccount) -> None:
    """Send what waits, sign what is queued, send that.

    What is signed goes first, so that nothing in the queue can hold it back; what is
    stuck there is signed anew and pays more. Calls go before new accounts, so that
    what keeps an account safe never waits for a batch. Safe to repeat and to run
    beside itself: nonces and accounts are taken by the database.

    Raises:
        NotNow: something has to wait for funds, fees or tomorrow's budget.
        TransientClientError: the node is out of reach; the rest waits for a sweep.
    """
    _broadcast(chain, node)
    if chain.problem:
        return
    replacement.replace_stuck(chain=chain, node=node, account=account)
    waiting = _sign_queued(chain, node, account)
    waiting = _sign_deployments(chain, node, account) or waiting
    _broadcast(chain, node)
    if waiting is not None:
        raise waiting


def _sign_queued(chain: Chain, node: Node, account: LocalAccount) -> NotNow | None:
    """Sign what other parts queued, what keeps accounts safe first.

    One that has to wait holds no other back; its reason is returned.
    """
    waiting = None
    queued = chain.relayer_transactions.filter(status=RelayerTransaction.Status.QUEUED)
    for row in queued.select_related("chain").order_by("-is_safety", "pk"):
        try:
            relayer.sign_queued(row=row, node=node, account=account)
        except NotNow as error:
            waiting = error
    return waiting


def _sign_deployments(chain: Chain, node: Node, account: LocalAccount) -> NotNow | None:
    """Sign batches while there are accounts to put on chain; return why they wait."""
    safes.request_funded_deployments(chain=chain)
    deployments.settle_noticed(chain=chain, node=node)
    deployments.look_for_gone(chain=chain, node=node)
    sign_next = partial(
        deployment_batches.sign_next_batch, chain=chain, node=node, account=account
    )
    try:
        while sign_next():
            pass
    except NotNow as error:
        return error
    return None


def _broadcast(chain: Chain, node: Node) -> None:
    stale = timezone.now() - timedelta(seconds=AGAIN_SECONDS)
    waiting = Q(broadcast_at__isnull=True) | Q(broadcast_at__lt=stale)
    in_flight = chain.relayer_transactions.in_flight().filter(waiting)
    for row in in_flight.order_by("nonce"):
        broadcasting.broadcast(row=row, node=node)
