"""A retry never makes a second payment (R64)."""

from __future__ import annotations

import uuid

import pytest

from onchain.clients.errors import ClientError
from onchain.errors import NotAwaitingSignature
from onchain.models import Chain, UserOperation
from onchain.models.operation_states import Status
from onchain.services import user_operations
from tests.factories import World
from tests.threads import all_at_once


@pytest.fixture
def world(either_world: World) -> World:
    """What holds here holds for every kind of operation."""
    return either_world


def rejected_after_signing(world: World, code: str = "bundler-refused"):
    """A payment that was signed, and refused by a bundler that may be lying."""
    op = world.sign()
    world.bundler.refusal = ClientError(code)
    op = world.submit(op)
    world.bundler.refusal = None
    assert op.status == Status.REJECTED
    return op


def nonce_of(op: UserOperation) -> tuple[int, int]:
    return op.nonce_key, op.nonce_sequence


def test_a_signed_and_rejected_payment_keeps_its_nonce_when_prepared_again(
    world: World,
):
    op = rejected_after_signing(world)

    again = world.prepare_again(op)

    assert again.status == Status.AWAITING_SIGNATURES
    assert nonce_of(again) == nonce_of(op)


def test_the_nonce_is_kept_through_versions_that_were_never_signed(world: World):
    op = rejected_after_signing(world)
    unsigned = world.prepare_again(op)
    user_operations.withdraw(op=unsigned)

    third = world.prepare_again(unsigned)

    assert nonce_of(third) == nonce_of(op)


def test_the_nonce_is_kept_through_a_version_that_could_not_be_prepared(world: World):
    op = rejected_after_signing(world)
    world.bundler.estimate_refusal = ClientError("execution-reverted")
    unprepared = world.prepare_again(op)
    world.bundler.estimate_refusal = None
    assert unprepared.status == Status.REJECTED

    third = world.prepare_again(unprepared)

    assert nonce_of(third) == nonce_of(op)


def test_the_same_payment_at_the_same_nonce_is_still_another_operation(
    world: World, settings
):
    settings.PAYMASTER_ADDRESS = ""
    op = world.prepare()
    user_operations.withdraw(op=op)

    again = world.prepare_again(op)

    assert nonce_of(again) == nonce_of(op)
    assert again.user_operation_hash != op.user_operation_hash


# A node that hid the log of its inclusion must not turn a retry into a second payment.
def test_a_nonce_that_was_used_unseen_stops_the_retry(world: World):
    op = rejected_after_signing(world)
    world.confirm_time(op.valid_until + 1)
    UserOperation.objects.filter(pk=op.pk).update(status=Status.EXPIRED)
    world.node.sequences[(op.safe.address, op.nonce_key)] = op.nonce_sequence + 1

    again = world.prepare_again(op)

    assert (again.status, again.failure_code) == (Status.REJECTED, "nonce-used")


def test_another_payment_does_not_get_a_nonce_that_was_signed(payment_world: World):
    op = rejected_after_signing(payment_world)

    other = payment_world.prepare(payment_world.draft(value_wei=1))

    assert other.nonce_key != op.nonce_key


def test_once_the_confirmed_head_passed_its_end_a_retry_gets_a_fresh_nonce(
    payment_world: World,
):
    op = rejected_after_signing(payment_world)
    blocker = payment_world.prepare(payment_world.draft(value_wei=1))
    payment_world.confirm_time(op.valid_until + 1)

    again = payment_world.prepare_again(op)

    assert blocker.nonce_key == 1
    assert again.status == Status.AWAITING_SIGNATURES
    assert again.nonce_key == 0


@pytest.mark.parametrize("after", [-1, 0])
def test_until_then_it_does_not(world: World, after: int):
    op = rejected_after_signing(world)
    world.confirm_time(op.valid_until + after)

    again = world.prepare_again(op)

    assert nonce_of(again) == nonce_of(op)


def test_a_nonce_that_was_used_meanwhile_stops_the_retry(world: World):
    op = rejected_after_signing(world)
    world.node.sequences[world.wallet.safe.address, op.nonce_key] = 1

    again = world.prepare_again(op)

    assert (again.status, again.failure_code) == (Status.REJECTED, "nonce-used")


def test_an_unconfirmed_end_is_not_an_end(world: World):
    op = rejected_after_signing(world)
    Chain.objects.update(confirmed_timestamp=None, head_timestamp=op.valid_until + 99)

    again = world.prepare_again(op)

    assert nonce_of(again) == nonce_of(op)


def test_of_two_versions_with_both_released_the_chain_takes_one(world: World):
    first = rejected_after_signing(world)
    second = world.submit(world.sign(world.prepare_again(first)))
    assert second.status == Status.SUBMITTED

    keys = {
        (op.safe.address, op.nonce_key, op.nonce_sequence) for op in (first, second)
    }

    # EntryPoint.validateAndUpdateNonce takes each (sender, key, sequence) once.
    assert len(keys) == 1
    assert first.user_operation_hash != second.user_operation_hash


def test_two_presses_of_prepare_again_make_one_version(world: World):
    op = rejected_after_signing(world)

    again = [
        user_operations.prepare_again(
            op=world.fresh(op), user=world.wallet.user, idempotency_key=uuid.uuid4()
        )
        for _ in range(2)
    ]

    assert again[0] == again[1]


def test_an_old_version_is_renewed_from_the_newest(world: World):
    op = rejected_after_signing(world)
    second = world.prepare_again(op)
    user_operations.withdraw(op=second)

    third = world.prepare_again(op)

    assert third.predecessor == second


def test_a_version_that_was_carried_out_ends_the_line(world: World):
    op = rejected_after_signing(world)
    second = world.prepare_again(op)
    UserOperation.objects.filter(pk=second.pk).update(status=Status.INCLUDED)
    world.confirm_time(op.valid_until + 1)

    with pytest.raises(NotAwaitingSignature):
        world.prepare_again(op)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_ten_parallel_presses_of_prepare_again_make_one_version(
    transactional_world: World,
):
    world = transactional_world
    op = rejected_after_signing(world)
    world.confirm_time(op.valid_until + 1)

    made = all_at_once(
        10,
        lambda: user_operations.prepare_again(
            op=world.fresh(op), user=world.wallet.user, idempotency_key=uuid.uuid4()
        ),
    )

    assert len({version.pk for version in made}) == 1
    assert UserOperation.objects.count() == 2


@pytest.mark.parametrize(
    "status",
    [s for s in Status if s not in (Status.EXPIRED, Status.REJECTED, Status.WITHDRAWN)],
)
def test_only_an_ended_payment_is_prepared_again(world: World, status: Status):
    op = world.sign()
    UserOperation.objects.filter(pk=op.pk).update(status=status)

    with pytest.raises(NotAwaitingSignature):
        world.prepare_again(op)


def test_a_lane_is_free_once_what_was_rejected_in_it_cannot_be_included(
    payment_world: World,
):
    op = rejected_after_signing(payment_world)
    payment_world.confirm_time(op.valid_until + 1)

    other = payment_world.prepare(payment_world.draft(value_wei=1))

    assert other.nonce_key == op.nonce_key
