"""One signature of several counts as signed: no second payment, ever. R64, R66."""

from __future__ import annotations

import uuid

import pytest
from django.db import DatabaseError

from onchain.errors import NotAwaitingSignature, OperationExpired
from onchain.models import Chain, OperationSignature, UserOperation
from onchain.models.operation_states import Status
from onchain.services import change_lane, lanes, user_operations
from tests.several import SharedWorld, make_shared_world
from tests.threads import all_at_once

DAY = 86_400  # seconds


@pytest.fixture
def shared(db: None) -> SharedWorld:
    return make_shared_world()


def nonce(op: UserOperation) -> tuple[int | None, int | None]:
    return op.nonce_key, op.nonce_sequence


def use_nonce(shared: SharedWorld, op: UserOperation, *, block: int) -> UserOperation:
    """Let another operation of the account have used the same nonce on chain."""
    key, sequence = nonce(op)
    shared.node.sequences[shared.wallet.safe.address, key] = sequence + 1
    other = shared.draft(value_wei=2)
    UserOperation.objects.filter(pk=other.pk).update(
        nonce_key=key,
        nonce_sequence=sequence,
        status=Status.INCLUDED,
        block_number=block,
    )
    return other


def test_the_first_signature_is_noted_and_the_last_one_completes_it(
    shared: SharedWorld,
):
    first = shared.approve(shared.prepare(), place=1)
    assert (first.status, first.signed_at) == (Status.AWAITING_SIGNATURES, None)
    assert first.first_signed_at is not None

    both = shared.approve(first, place=0)

    assert both.status == Status.SIGNED
    assert both.first_signed_at == first.first_signed_at <= both.signed_at


# R24
@pytest.mark.parametrize("column", ["recipient", "value_wei", "valid_until"])
def test_what_one_of_two_signed_never_changes(shared: SharedWorld, column):
    op = shared.approve(shared.prepare())
    another = {"recipient": b"\x66" * 20, "value_wei": 66, "valid_until": 66}

    with pytest.raises(DatabaseError, match="what was signed never changes"):
        UserOperation.objects.filter(pk=op.pk).update(**{column: another[column]})


def test_a_withdrawn_proposal_that_somebody_signed_keeps_its_nonce(
    shared: SharedWorld,
):
    op = shared.approve(shared.prepare())
    user_operations.withdraw(op=op)

    other = shared.prepare(shared.draft(value_wei=1))

    assert shared.fresh(op).status == Status.WITHDRAWN
    assert other.nonce_key != op.nonce_key


def test_preparing_it_again_takes_the_same_nonce(shared: SharedWorld):
    op = shared.approve(shared.prepare())
    user_operations.withdraw(op=op)

    again = shared.prepare_again(op)

    assert nonce(again) == nonce(op)
    assert again.user_operation_hash != op.user_operation_hash


def test_nobody_signs_what_was_withdrawn(shared: SharedWorld):
    op = shared.approve(shared.prepare())
    user_operations.withdraw(op=op)

    with pytest.raises(NotAwaitingSignature):
        shared.approve(op, place=1)

    assert op.signatures.count() == 1


def test_a_withdrawal_that_comes_in_between_takes_the_signature_with_it(
    shared: SharedWorld,
):
    op = shared.prepare()
    stale = shared.fresh(op)
    user_operations.withdraw(op=op)
    op.status = stale.status

    with pytest.raises(NotAwaitingSignature):
        shared.approve(stale)

    assert not OperationSignature.objects.exists()
    assert not shared.fresh(op).was_ever_signed


# R55: the head may fall back behind its end; only the confirmed head counts.
def test_what_somebody_signed_does_not_expire_at_the_unconfirmed_head(
    shared: SharedWorld,
):
    op = shared.approve(shared.prepare())
    shared.confirm_time(op.valid_until - 1)

    with pytest.raises(OperationExpired):
        shared.approve(op, place=1)

    assert shared.fresh(op).status == Status.AWAITING_SIGNATURES


@pytest.mark.parametrize("status", [Status.WITHDRAWN, Status.EXPIRED, Status.REJECTED])
def test_its_nonce_is_free_after_its_end_is_confirmed_and_not_before(
    shared: SharedWorld, status
):
    op = shared.approve(shared.prepare())
    UserOperation.objects.filter(pk=op.pk).update(status=status)

    shared.confirm_time(op.valid_until)
    assert shared.prepare(shared.draft(value_wei=1)).nonce_key == 1
    shared.confirm_time(op.valid_until + 1)
    assert nonce(shared.prepare(shared.draft(value_wei=2))) == nonce(op)


def test_its_nonce_is_free_once_something_else_used_it(shared: SharedWorld):
    op = shared.approve(shared.prepare())
    user_operations.withdraw(op=op)
    use_nonce(shared, op, block=98)

    other = shared.prepare(shared.draft(value_wei=1))

    assert nonce(other) == (op.nonce_key, op.nonce_sequence + 1)


def test_it_is_prepared_again_elsewhere_only_once_that_is_confirmed(
    shared: SharedWorld,
):
    op = shared.approve(shared.prepare())
    user_operations.withdraw(op=op)
    used = use_nonce(shared, op, block=100)

    early = shared.prepare_again(op)
    UserOperation.objects.filter(pk=used.pk).update(block_number=98)
    later = shared.prepare_again(early)

    assert (early.status, early.failure_code) == (Status.REJECTED, "nonce-used")
    assert nonce(later) == (op.nonce_key, op.nonce_sequence + 1)


def test_a_nonce_that_nothing_of_ours_used_may_have_been_this_payments(
    shared: SharedWorld,
):
    op = shared.approve(shared.prepare())
    user_operations.withdraw(op=op)
    shared.node.sequences[shared.wallet.safe.address, op.nonce_key] = 1

    again = shared.prepare_again(op)

    assert (again.status, again.failure_code) == (Status.REJECTED, "nonce-used")


# R65
def test_the_same_payment_is_asked_about_after_a_withdrawal(shared: SharedWorld):
    op = shared.approve(shared.prepare())
    user_operations.withdraw(op=op)

    twin = user_operations.recent_twin(
        safe=op.safe,
        recipient=op.recipient,
        value_wei=op.value_wei,
        idempotency_key=uuid.uuid4(),
    )

    assert twin == op


# R67
def test_a_withdrawn_change_of_owners_that_somebody_signed_is_in_flight(
    shared: SharedWorld,
):
    op = shared.approve(shared.prepare())
    change = shared.draft(value_wei=3)
    UserOperation.objects.filter(pk=change.pk).update(
        kind=UserOperation.Kind.ADD_PASSKEY,
        status=Status.WITHDRAWN,
        first_signed_at=op.first_signed_at,
        valid_until=op.valid_until,
    )

    assert list(change_lane.in_flight([op.safe])) == [change]


# R66
@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_signature_and_a_withdrawal_at_once_leave_both_or_one():
    shared = make_shared_world()
    op = shared.prepare()
    turns = iter([0, 1])

    def race() -> None:
        try:
            if next(turns) == 0:
                shared.approve(op)
            else:
                user_operations.withdraw(op=op)
        except NotAwaitingSignature:
            pass

    all_at_once(2, race)

    op = shared.fresh(op)
    assert op.was_ever_signed == op.signatures.exists()
    assert op.status == Status.WITHDRAWN


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_the_last_two_signatures_at_once_complete_it():
    shared = make_shared_world(owners=3, threshold=3)
    op = shared.approve(shared.prepare(), place=2)
    turns = iter([0, 1])

    all_at_once(2, lambda: shared.approve(op, place=next(turns)))

    assert shared.fresh(op).status == Status.SIGNED
    assert op.signatures.count() == 3


def test_nothing_used_the_nonce_of_what_was_never_prepared(shared: SharedWorld):
    assert lanes.user_of_nonce(shared.draft()) is None


# --- When the chain asks for more than it may pay. R21, R64 -----------------------------


def outgrow(op: UserOperation) -> None:
    Chain.objects.update(base_fee_wei=op.max_fee_per_gas + 1)


def test_what_the_chain_outgrew_is_prepared_again_at_the_same_nonce(
    shared: SharedWorld,
):
    op = shared.approve(shared.prepare())
    outgrow(op)

    again = shared.prepare_again(op)

    assert shared.fresh(op).status == Status.WITHDRAWN
    assert again.status == Status.AWAITING_SIGNATURES
    assert nonce(again) == nonce(op)
    assert not again.signatures.exists()


def test_what_waits_within_its_cap_is_not_prepared_again(shared: SharedWorld):
    op = shared.approve(shared.prepare())

    with pytest.raises(NotAwaitingSignature):
        shared.prepare_again(op)

    assert shared.fresh(op).status == Status.AWAITING_SIGNATURES
