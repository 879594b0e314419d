"""Payments as people ask for them: once per form, withdrawn, expired."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from onchain.errors import IdempotencyConflict, NotAwaitingSignature
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from onchain.services import user_operations
from tests.factories import ETHER, PAYEE, World, make_wallet
from tests.threads import all_at_once


def ask(world: World, key: uuid.UUID, **changes) -> UserOperation:
    return world.draft(idempotency_key=key, **changes)


def test_a_draft_is_what_was_asked_for(world: World):
    op = world.draft(recipient=b"\x0c" * 20, value_wei=7)

    assert (op.status, op.recipient, op.value_wei) == (Status.DRAFT, b"\x0c" * 20, 7)


# --- R50 --------------------------------------------------------------------------------


def test_the_same_form_twice_makes_one_draft(world: World):
    key = uuid.uuid4()

    assert ask(world, key) == ask(world, key)


@pytest.mark.parametrize(
    "change", [{"value_wei": 1}, {"recipient": b"\x0c" * 20}], ids=["amount", "payee"]
)
def test_the_same_form_with_another_payment_is_refused(world: World, change):
    key = uuid.uuid4()
    ask(world, key)

    with pytest.raises(IdempotencyConflict):
        ask(world, key, **change)

    assert UserOperation.objects.count() == 1


def test_the_same_form_for_another_account_is_refused(world: World):
    key = uuid.uuid4()
    ask(world, key)
    other = make_wallet(user=world.wallet.user)

    with pytest.raises(IdempotencyConflict):
        ask(world, key, safe=other.safe)


def test_two_people_may_use_the_same_key(world: World):
    key = uuid.uuid4()
    other = make_wallet()

    assert ask(world, key) != ask(world, key, safe=other.safe, user=other.user)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_parallel_posts_of_one_form_make_one_draft(transactional_world: World):
    world, key = transactional_world, uuid.uuid4()

    drafts = all_at_once(20, lambda: ask(world, key).pk)

    assert len(set(drafts)) == 1
    assert UserOperation.objects.count() == 1


# --- R65: asking before the same payment goes out again ---------------------------------


def twin(world: World, **changes) -> UserOperation | None:
    asked = {
        "safe": world.wallet.safe,
        "recipient": PAYEE,
        "value_wei": ETHER // 4,
        "idempotency_key": uuid.uuid4(),
    }
    return user_operations.recent_twin(**asked | changes)


def test_the_same_payment_a_moment_ago_is_noticed(world: World):
    op = world.draft()

    assert twin(world) == op


def test_the_same_form_is_not_its_own_twin(world: World):
    op = world.draft()

    assert twin(world, idempotency_key=op.idempotency_key) is None


@pytest.mark.parametrize("change", [{"value_wei": 1}, {"recipient": b"\x0c" * 20}])
def test_another_payment_is_no_twin(world: World, change):
    world.draft()

    assert twin(world, **change) is None


def test_an_old_payment_is_no_twin(world: World):
    world.draft()
    UserOperation.objects.update(created_at=timezone.now() - timedelta(minutes=11))

    assert twin(world) is None


@pytest.mark.parametrize(
    "status", [Status.REJECTED, Status.EXPIRED, Status.WITHDRAWN, Status.REVERTED]
)
def test_a_payment_that_moved_nothing_is_no_twin(world: World, status: Status):
    world.draft()
    UserOperation.objects.update(status=status)

    assert twin(world) is None


# R64: a bundler's no is not the chain's.
def test_a_signed_payment_that_was_refused_is_asked_about(world: World):
    op = world.sign()
    UserOperation.objects.update(status=Status.REJECTED)

    assert twin(world) == op


# --- Withdrawing ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.DRAFT, Status.AWAITING_SIGNATURES])
def test_an_unsigned_payment_can_be_withdrawn(world: World, status: Status):
    op = world.draft()
    UserOperation.objects.update(status=status)

    user_operations.withdraw(op=op)

    assert world.fresh(op).status == Status.WITHDRAWN


def test_withdrawing_twice_is_no_error(world: World):
    op = world.draft()

    user_operations.withdraw(op=op)
    user_operations.withdraw(op=op)

    assert world.fresh(op).status == Status.WITHDRAWN


@pytest.mark.parametrize(
    "status",
    [
        s
        for s in Status
        if s not in (Status.DRAFT, Status.AWAITING_SIGNATURES, Status.WITHDRAWN)
    ],
)
def test_nothing_else_can_be_withdrawn(world: World, status: Status):
    op = world.draft()
    UserOperation.objects.update(status=status)

    with pytest.raises(NotAwaitingSignature):
        user_operations.withdraw(op=op)

    assert world.fresh(op).status == status


# --- R55: what ends by itself -----------------------------------------------------------


def test_a_draft_that_could_not_be_prepared_in_time_is_given_up(world: World):
    old, young = world.draft(), world.draft()
    long_ago = timezone.now() - timedelta(minutes=16)
    UserOperation.objects.filter(pk=old.pk).update(created_at=long_ago)

    user_operations.expire_drafts()

    old, young = world.fresh(old), world.fresh(young)
    assert (old.status, old.failure_code) == (Status.EXPIRED, "not-prepared")
    assert young.status == Status.DRAFT


@pytest.mark.parametrize("past", [0, 1])
def test_only_a_confirmed_head_past_its_end_expires_an_operation(
    world: World, past: int
):
    op = world.submit()
    world.confirm_time(op.valid_until + past)

    user_operations.expire_operations(chain=world.chain)

    expected = Status.EXPIRED if past else Status.SUBMITTED
    assert world.fresh(op).status == expected


def test_an_unconfirmed_head_expires_nothing(world: World):
    op = world.submit()
    chain = world.chain
    chain.confirmed_timestamp = None
    chain.head_timestamp = op.valid_until + 1000

    user_operations.expire_operations(chain=chain)

    assert world.fresh(op).status == Status.SUBMITTED


@pytest.mark.parametrize(
    "status",
    [Status.INCLUDED, Status.REVERTED, Status.REJECTED, Status.WITHDRAWN],
)
def test_what_has_ended_does_not_expire(world: World, status: Status):
    op = world.sign()
    UserOperation.objects.update(status=status)
    world.confirm_time(op.valid_until + 1)

    user_operations.expire_operations(chain=world.chain)

    assert world.fresh(op).status == status
