"""What is reserved for an operation that can never be included is given back (R57, R66)."""

from __future__ import annotations

import uuid

import pytest

from onchain.models import Sponsorship, UserOperation
from onchain.models.operation_states import Status
from onchain.services import cancellation, sponsor_usage, user_operations
from tests.onchain.services.happenings import follow, outcome
from tests.several import SharedWorld, make_shared_world


@pytest.fixture
def shared(db: None) -> SharedWorld:
    shared = make_shared_world()
    mine(shared, 3)
    return shared


@pytest.fixture
def withdrawn(shared: SharedWorld) -> UserOperation:
    """A sponsored proposal that one of two signed, withdrawn."""
    op = shared.approve(shared.prepare())
    assert op.is_sponsored
    user_operations.withdraw(op=op)
    return shared.fresh(op)


@pytest.fixture
def cancelling(shared: SharedWorld, withdrawn: UserOperation) -> UserOperation:
    """What uses up its nonce, signed by both and sent."""
    drafted = cancellation.draft_cancellation(
        op=withdrawn, user=shared.wallet.user, idempotency_key=uuid.uuid4()
    )
    op = shared.approve(shared.approve(shared.prepare(drafted)), place=1)
    return shared.submit(op)


def mine(shared: SharedWorld, blocks: int) -> None:
    for _ in range(blocks):
        shared.node.mine()
        follow(shared)


def include(shared: SharedWorld, op: UserOperation) -> None:
    shared.node.mine(outcome(op))
    follow(shared)
    assert shared.fresh(op).status == Status.INCLUDED


def reserved_wei(shared: SharedWorld) -> int:
    """What this and all else that may still be included can cost."""
    return sponsor_usage.today(chain=shared.chain).open_wei


def promised(op: UserOperation) -> int:
    return Sponsorship.objects.get(operation=op).reserved_wei


def test_a_withdrawal_alone_gives_nothing_back(shared: SharedWorld, withdrawn):
    mine(shared, 10)

    assert reserved_wei(shared) == promised(withdrawn) > 0


def test_a_cancellation_gives_it_back_once_it_is_confirmed(
    shared: SharedWorld, withdrawn, cancelling
):
    assert reserved_wei(shared) == promised(withdrawn) + promised(cancelling)

    include(shared, cancelling)
    assert reserved_wei(shared) == promised(withdrawn)
    mine(shared, 1)

    assert reserved_wei(shared) == 0
    open_ones = Sponsorship.objects.outstanding(
        confirmed=shared.chain.confirmed_timestamp
    )
    assert not open_ones.exists()


def test_a_version_of_the_same_payment_gives_the_older_one_back(
    shared: SharedWorld, withdrawn
):
    again = shared.prepare_again(withdrawn)
    again = shared.submit(shared.approve(shared.approve(again), place=1))

    include(shared, again)
    mine(shared, 1)

    assert reserved_wei(shared) == 0


def test_a_payment_at_another_nonce_gives_nothing_back(shared: SharedWorld, withdrawn):
    other = shared.prepare(shared.draft(value_wei=9))
    other = shared.submit(shared.approve(shared.approve(other), place=1))

    include(shared, other)
    mine(shared, 3)

    assert reserved_wei(shared) == promised(withdrawn)


def test_a_reorg_before_that_gives_nothing_back(
    shared: SharedWorld, withdrawn, cancelling
):
    include(shared, cancelling)

    shared.node.reorganise(1)
    mine(shared, 5)

    assert reserved_wei(shared) == promised(withdrawn) + promised(cancelling)


def test_a_deeper_reorg_takes_it_back(shared: SharedWorld, withdrawn, cancelling):
    include(shared, cancelling)
    mine(shared, 1)
    assert reserved_wei(shared) == 0

    shared.node.reorganise(2)
    mine(shared, 1)

    assert reserved_wei(shared) == promised(withdrawn) + promised(cancelling)
    row = Sponsorship.objects.get(operation=withdrawn)
    assert row.valid_until == withdrawn.valid_until
    include(shared, cancelling)
    mine(shared, 1)
    assert reserved_wei(shared) == 0
