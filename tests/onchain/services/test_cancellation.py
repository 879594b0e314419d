"""Cancelling for certain: an empty operation at the same nonce. R66, R69."""

from __future__ import annotations

import uuid

import pytest

from onchain.errors import NotAwaitingSignature, NothingToCancel
from onchain.models import Chain, Sponsorship, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.account_calls import decode_call_data
from onchain.protocol.types import Address, Call
from onchain.services import (
    authorization,
    cancellation,
    change_lane,
    intents,
    user_operations,
)
from tests.several import SharedWorld, make_shared_world

Kind = UserOperation.Kind


@pytest.fixture
def shared(db: None) -> SharedWorld:
    return make_shared_world()


@pytest.fixture
def withdrawn(shared: SharedWorld) -> UserOperation:
    """A proposal that one of two signed, withdrawn."""
    op = shared.approve(shared.prepare())
    user_operations.withdraw(op=op)
    return shared.fresh(op)


def nonce(op: UserOperation) -> tuple[int | None, int | None]:
    return op.nonce_key, op.nonce_sequence


def draft(shared: SharedWorld, op: UserOperation) -> UserOperation:
    return cancellation.draft_cancellation(
        op=op, user=shared.wallet.user, idempotency_key=uuid.uuid4()
    )


def test_it_does_nothing_at_the_very_nonce(shared: SharedWorld, withdrawn):
    op = shared.prepare(draft(shared, withdrawn))

    account = Address(shared.wallet.safe.address)
    assert op.status == Status.AWAITING_SIGNATURES
    assert nonce(op) == nonce(withdrawn)
    assert decode_call_data(bytes(op.call_data)) == [Call(to=account, value_wei=0)]


def test_it_is_approved_and_sent_like_any_other(shared: SharedWorld, withdrawn):
    op = shared.prepare(draft(shared, withdrawn))

    op = shared.submit(shared.approve(shared.approve(op, place=1)))

    assert op.status == Status.SUBMITTED
    (sent,) = shared.bundler.sent
    assert sent.nonce == (withdrawn.nonce_key << 64) + withdrawn.nonce_sequence


def test_a_page_asks_for_it_as_its_own_kind(shared: SharedWorld, withdrawn):
    op = shared.prepare(draft(shared, withdrawn))

    request = authorization.signing_request(op=op, user=shared.wallet.user)

    assert request["cancels"] == {"nonce": request["message"]["nonce"]}
    assert "newOwner" not in request


def test_what_waits_for_approvals_is_withdrawn_with_it(shared: SharedWorld):
    op = shared.approve(shared.prepare())

    cancelling = shared.prepare(draft(shared, op))

    assert shared.fresh(op).status == Status.WITHDRAWN
    assert nonce(cancelling) == nonce(op)


def test_asked_for_twice_it_is_one(shared: SharedWorld, withdrawn):
    first = draft(shared, withdrawn)

    assert draft(shared, withdrawn) == first
    assert cancellation.outlook_of(withdrawn).under_way == first


def test_a_cancellation_that_ended_can_be_asked_for_again(
    shared: SharedWorld, withdrawn
):
    first = shared.approve(shared.prepare(draft(shared, withdrawn)))
    user_operations.withdraw(op=first)

    again = shared.prepare(draft(shared, withdrawn))

    assert again != first
    assert nonce(again) == nonce(withdrawn)
    assert again.user_operation_hash != first.user_operation_hash


@pytest.mark.parametrize("status", [Status.INCLUDED, Status.REVERTED])
def test_after_it_was_carried_out_the_lane_is_free(
    shared: SharedWorld, withdrawn, status
):
    op = shared.prepare(draft(shared, withdrawn))
    UserOperation.objects.filter(pk=op.pk).update(status=status, block_number=98)
    shared.node.sequences[shared.wallet.safe.address, op.nonce_key] = 1

    assert not cancellation.outlook_of(shared.fresh(withdrawn)).can_cancel
    assert nonce(shared.prepare(shared.draft(value_wei=9))) == (op.nonce_key, 1)


def test_nothing_is_left_to_cancel_once_the_nonce_is_used(
    shared: SharedWorld, withdrawn
):
    op = draft(shared, withdrawn)
    shared.node.sequences[shared.wallet.safe.address, withdrawn.nonce_key] = 1

    op = shared.prepare(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "nothing-to-cancel")


def unsigned(shared: SharedWorld) -> UserOperation:
    op = shared.prepare()
    user_operations.withdraw(op=op)
    return op


def over(shared: SharedWorld) -> UserOperation:
    op = shared.approve(shared.prepare())
    shared.confirm_time(op.valid_until + 1)
    user_operations.expire_operations(chain=shared.chain)
    return op


def sent(shared: SharedWorld) -> UserOperation:
    return shared.approve(shared.approve(shared.prepare()), place=1)


@pytest.mark.parametrize("made", [unsigned, over, sent])
def test_what_a_withdrawal_ends_or_nothing_ends_is_not_cancelled(
    shared: SharedWorld, made
):
    op = shared.fresh(made(shared))
    before = op.status

    with pytest.raises(NothingToCancel):
        draft(shared, op)

    assert shared.fresh(op).status == before
    assert not UserOperation.objects.filter(kind=Kind.CANCEL).exists()


def test_a_newer_version_at_the_same_nonce_goes_first(shared: SharedWorld, withdrawn):
    shared.prepare_again(withdrawn)

    with pytest.raises(NothingToCancel, match="newer version"):
        draft(shared, withdrawn)


def test_a_cancellation_is_not_prepared_again_by_itself(shared: SharedWorld, withdrawn):
    op = shared.prepare(draft(shared, withdrawn))
    user_operations.withdraw(op=op)

    with pytest.raises(NotAwaitingSignature):
        shared.prepare_again(op)


# R16, R28
@pytest.mark.parametrize(
    "change",
    [
        {"recipient": b"\x66" * 20},
        {"value_wei": 1},
        {"cancels": None},
        {"nonce_sequence": 7},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_cancellation_is_stopped(shared: SharedWorld, withdrawn, change):
    op = shared.prepare(draft(shared, withdrawn))
    UserOperation.objects.filter(pk=op.pk).update(**change)

    with pytest.raises(intents.IntentChanged):
        intents.calls_of(shared.fresh(op))


# R69
def test_it_is_paid_from_the_safety_reserve_when_all_else_is_used_up(
    shared: SharedWorld, withdrawn, settings
):
    settings.SPONSOR_DAILY_OPERATIONS = 0
    settings.SPONSOR_DAILY_TOTAL = 0
    Chain.objects.update(sponsorship_paused=True)
    shared.node.account_balances[shared.wallet.safe.address] = 0

    op = shared.prepare(draft(shared, withdrawn))

    assert op.is_sponsored
    assert op.sponsorship.pool == Sponsorship.Pool.SAFETY


# R67
def test_cancelling_is_no_change_of_owners(shared: SharedWorld, withdrawn):
    draft(shared, withdrawn)

    assert not change_lane.in_flight([shared.wallet.safe]).exists()
