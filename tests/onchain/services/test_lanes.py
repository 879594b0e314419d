"""Lanes: payments of one account do not wait for each other (R65)."""

from __future__ import annotations

import pytest

from onchain.clients.errors import TransientClientError
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from onchain.services import user_operations
from tests.factories import World
from tests.threads import all_at_once


def test_each_payment_in_flight_has_a_lane_of_its_own(world: World):
    lanes = [world.prepare().nonce_key for _ in range(8)]

    assert lanes == list(range(8))


def test_the_ninth_payment_in_flight_is_refused(world: World):
    for _ in range(8):
        world.prepare()

    op = world.prepare()

    assert (op.status, op.failure_code) == (Status.REJECTED, "too-many-in-flight")


def test_the_lowest_free_lane_is_taken_with_the_chains_sequence(world: World):
    first, second = world.prepare(), world.prepare()
    UserOperation.objects.filter(pk=first.pk).update(status=Status.INCLUDED)
    world.node.sequences[world.wallet.safe.address, 0] = 1

    third = world.prepare()

    assert second.nonce_key == 1
    assert (third.nonce_key, third.nonce_sequence) == (0, 1)


def test_a_withdrawn_payment_gives_its_nonce_back(world: World):
    op = world.prepare()
    user_operations.withdraw(op=op)

    again = world.prepare()

    assert (again.nonce_key, again.nonce_sequence) == (op.nonce_key, op.nonce_sequence)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_race_for_the_same_nonce_leaves_the_loser_a_draft(
    transactional_world: World,
):
    world = transactional_world
    first, second = world.draft(), world.draft(value_wei=1)
    estimate = world.bundler.estimate

    def overtaken(asked):
        world.bundler.estimate = estimate
        world.prepare(second)
        return estimate(asked)

    world.bundler.estimate = overtaken

    with pytest.raises(TransientClientError, match="nonce"):
        world.prepare(first)

    assert world.fresh(first).status == Status.DRAFT
    assert world.fresh(second).nonce_key == 0
    assert world.prepare(first).nonce_key == 1


# R44
@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_ten_parallel_preparations_make_one_operation(transactional_world: World):
    world = transactional_world
    op = world.draft()

    all_at_once(10, lambda: world.prepare(op))

    op = world.fresh(op)
    assert op.status == Status.AWAITING_SIGNATURES
    assert UserOperation.objects.count() == 1
