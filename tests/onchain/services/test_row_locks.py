"""Whoever waits for an account holds nothing that comes after it in the order.

Two that lock in the same order never wait for each other. SQLite has one writer at a
time; there the second half of each test is only what happens after the wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from onchain.clients.errors import ClientError
from onchain.errors import NotTheOnlyKey
from onchain.models import Acknowledgement, Budget, Chain, RelayerTransaction, Safe
from onchain.models.operation_states import Status
from onchain.services import (
    broadcasting,
    budgets,
    chain_events,
    deployment_batches,
    follower,
    relayer,
    relaying,
    ways_in,
)
from tests.factories import RELAYER_KEY, World, make_queued_wallet
from tests.onchain.services.happenings import follow, outcome

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

ACCOUNT = relayer.account_of(RELAYER_KEY)
PATIENCE_SECONDS = 0.3  # for the other one to come to where it waits


def while_held(safe: Safe, work: Callable[[], object]) -> None:
    """Do the work in another connection while the account is held by this one.

    Then take, without waiting, all that comes after accounts in the order: whoever
    waits for an account may not hold it.
    """
    failures: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - looked at below
            failures.append(error)
        finally:
            connections.close_all()

    other = threading.Thread(target=run)
    with transaction.atomic():
        Safe.objects.select_for_update().get(pk=safe.pk)
        other.start()
        other.join(PATIENCE_SECONDS)
        assert other.is_alive()
        for rows in (RelayerTransaction.objects, Budget.objects, Chain.objects):
            list(rows.select_for_update(no_key=True, nowait=True))
    other.join()
    assert failures == []


def deployed_by_relayer(world: World) -> Safe:
    """Return an account whose deployment is broadcast, and in the next block."""
    safe = make_queued_wallet().safe
    relaying.run(chain=world.chain, node=world.node, account=ACCOUNT)
    world.node.mine()
    return safe


def test_a_rewind_waits_for_an_account_with_nothing_else_in_hand(
    transactional_world: World,
):
    world = transactional_world
    follow(world)
    op = world.submit()
    safe = deployed_by_relayer(world)
    world.node.mine(outcome(op))
    follow(world)
    assert RelayerTransaction.objects.get().status == "mined"

    while_held(safe, lambda: chain_events.rewind(chain=world.chain, fork_number=100))

    assert world.fresh(op).status == Status.SUBMITTED
    assert RelayerTransaction.objects.get().status == "broadcast"


def test_a_block_waits_for_an_account_with_nothing_else_in_hand(
    transactional_world: World,
):
    world = transactional_world
    follow(world)
    safe = deployed_by_relayer(world)

    while_held(safe, lambda: follower.advance(chain=world.chain, node=world.node))

    assert RelayerTransaction.objects.get().status == "mined"


def test_a_batch_waits_for_an_account_with_nothing_else_in_hand(
    transactional_world: World,
):
    world = transactional_world
    safe = make_queued_wallet().safe
    Budget.objects.create(
        chain=world.chain, pool=Budget.Pool.DEPLOYMENTS, day=budgets.today()
    )

    while_held(
        safe,
        lambda: deployment_batches.sign_next_batch(
            chain=world.chain, node=world.node, account=ACCOUNT
        ),
    )

    assert RelayerTransaction.objects.get().status == "signed"


def test_an_acknowledgement_that_an_owner_change_overtakes_is_none(
    transactional_world: World,
):
    wallet = transactional_world.wallet
    refused = []

    def acknowledge() -> None:
        try:
            ways_in.acknowledge(safe=wallet.safe, user=wallet.user)
        except NotTheOnlyKey as error:
            refused.append(error)
        finally:
            connections.close_all()

    other = threading.Thread(target=acknowledge)
    with transaction.atomic():
        Safe.objects.select_for_update().get(pk=wallet.safe.pk)
        other.start()
        other.join(PATIENCE_SECONDS)
        wallet.safe.owners.update(is_current=False)
        ways_in.forget_acknowledgements(safe=wallet.safe)
    other.join()

    assert len(refused) == 1
    assert not Acknowledgement.objects.exists()


def test_a_transaction_that_is_given_up_waits_for_its_account_first(
    transactional_world: World,
):
    world = transactional_world
    safe = make_queued_wallet().safe
    row = deployment_batches.sign_next_batch(
        chain=world.chain, node=world.node, account=ACCOUNT
    )
    world.node.send_failure = ClientError("intrinsic-gas", "too little gas")

    while_held(
        safe,
        lambda: broadcasting.broadcast(row=row, node=world.node),
    )

    row.refresh_from_db()
    assert row.status == "failed"
