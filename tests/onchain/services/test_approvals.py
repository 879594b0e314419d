"""Who approved and who is missing; the queue, reminders, and sending what has enough."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import SecurityEvent
from onchain.errors import NobodyToRemind, NotApprovedYet, NotAwaitingSignature
from onchain.models import Contact, Owner, Reminder, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.services import approvals, queue, user_operations
from tests.factories import PAYEE, make_credential, make_user
from tests.several import SharedWorld, ask_for, make_shared_world
from tests.threads import all_at_once


@pytest.fixture
def shared(db: None) -> SharedWorld:
    return make_shared_world(owners=3)


def seen(shared: SharedWorld, op: UserOperation, place: int = 0):
    who = shared.wallet if place == 0 else shared.others[place - 1]
    return approvals.approvals_of(op=shared.fresh(op), user=who.user)


def people(items) -> list[str]:
    return ["me" if item.is_mine else item.name for item in items]


def test_who_approved_and_who_is_missing(shared: SharedWorld):
    op = shared.approve(shared.prepare(), place=1)
    second, third = (other.user.name for other in shared.others)

    found = seen(shared, op)

    assert found.words == "1 of 2 approved"
    assert people(found.given) == [second]
    assert people(found.missing) == ["me", third]
    assert found.awaits_me
    assert not found.is_mine_given


def test_approvals_count_in_the_order_in_which_they_came(shared: SharedWorld):
    op = shared.approve(shared.approve(shared.prepare(), place=2), place=0)

    found = seen(shared, op, place=2)

    assert op.status == Status.SIGNED
    assert people(found.given) == ["me", shared.wallet.user.name]
    assert found.is_enough
    assert found.missing == ()


def test_a_wallet_is_known_by_its_name_in_the_address_book(shared: SharedWorld):
    Contact.objects.create(
        safe=shared.wallet.safe,
        address=PAYEE,
        name="Vault",
        created_by=shared.wallet.user,
    )
    Owner.objects.create(
        safe=shared.wallet.safe, address=PAYEE, kind=Owner.Kind.WALLET, position=9
    )

    found = seen(shared, shared.prepare())

    assert people(found.missing)[-1] == "Vault"


# R67
def test_a_removed_owners_approval_is_shown_and_does_not_count(shared: SharedWorld):
    op = shared.approve(shared.prepare(), place=1)
    op.signatures.update(voided_at=timezone.now())
    Owner.objects.filter(credential__user=shared.others[0].user).update(
        is_current=False
    )

    found = seen(shared, op)

    assert (found.count, people(found.void)) == (0, [shared.others[0].user.name])


# R67
def test_a_re_added_owners_old_approval_does_not_revive(shared: SharedWorld):
    op = shared.approve(shared.prepare(), place=1)
    op.signatures.update(voided_at=timezone.now())

    found = seen(shared, op, place=1)

    assert found.count == 0
    assert found.awaits_me
    assert shared.approve(op, place=1).status == Status.AWAITING_SIGNATURES
    assert seen(shared, op).count == 1


# --- The queue --------------------------------------------------------------------------


def test_what_waits_for_me_comes_first_then_what_ends_first(shared: SharedWorld):
    mine = shared.approve(shared.prepare(shared.draft(period_seconds=3_600)))
    late = shared.prepare(shared.draft(value_wei=1, period_seconds=604_800))
    early = shared.prepare(shared.draft(value_wei=2, period_seconds=28_800))

    items = queue.waiting(safe=shared.wallet.safe, user=shared.wallet.user)

    assert [item.op for item in items] == [early, late, mine]
    assert [item.is_for_me for item in items] == [True, True, False]


def test_each_other_sees_it_as_theirs(shared: SharedWorld):
    shared.approve(shared.prepare())

    [item] = queue.waiting(safe=shared.wallet.safe, user=shared.others[0].user)

    assert item.is_for_me


def test_a_person_with_two_keys_can_approve_with_the_second(shared: SharedWorld):
    op = shared.approve(shared.prepare())
    Owner.objects.filter(credential__user=shared.others[0].user).update(
        credential=make_credential(user=shared.wallet.user)
    )

    [item] = queue.waiting(safe=shared.wallet.safe, user=shared.wallet.user)

    assert (item.op, item.words, item.is_for_me) == (op, "1 of 2 approved", True)


def test_a_viewer_has_nothing_to_do(shared: SharedWorld):
    shared.prepare()

    [item] = queue.waiting(safe=shared.wallet.safe, user=make_user())

    assert not item.is_for_me


@pytest.mark.parametrize(
    ("threshold", "signed", "waits"), [(2, 0, 1), (1, 1, 1), (1, 0, 0)]
)
def test_an_account_says_whether_anything_waits(
    shared: SharedWorld, threshold, signed, waits
):
    op = shared.prepare()
    if signed:
        shared.approve(op)
    ask_for(shared.wallet.safe, threshold)

    [safe] = queue.with_waiting(Safe.objects.filter(pk=shared.wallet.safe.pk))

    assert safe.has_waiting == bool(waits)
    assert len(queue.waiting(safe=safe, user=shared.wallet.user)) == waits


def test_nobodys_queue_holds_what_one_owner_signs_alone(shared: SharedWorld):
    ask_for(shared.wallet.safe, 1)
    shared.prepare()

    assert queue.waiting(safe=shared.wallet.safe, user=shared.wallet.user) == []


@pytest.mark.parametrize("count", [1, 6])
def test_the_queue_costs_the_same_however_long_it_is(
    shared: SharedWorld, count, django_assert_num_queries
):
    for value in range(1, count + 1):
        shared.approve(shared.prepare(shared.draft(value_wei=value)))

    with django_assert_num_queries(1):
        items = queue.waiting(safe=shared.wallet.safe, user=shared.wallet.user)

    assert len(items) == count


# --- Sending what has enough. R67 -------------------------------------------------------


def test_a_dropped_threshold_sends_nothing_until_somebody_does(shared: SharedWorld):
    op = shared.approve(shared.prepare(), place=1)
    ask_for(shared.wallet.safe, 1)

    [item] = queue.waiting(safe=shared.wallet.safe, user=shared.wallet.user)
    assert shared.fresh(op).status == Status.AWAITING_SIGNATURES
    assert item.is_enough

    queue.send_now(op=shared.fresh(op))
    queue.send_now(op=shared.fresh(op))

    op = shared.fresh(op)
    assert (op.status, op.signed_at is None) == (Status.SIGNED, False)
    # Its gas is for two signatures and it carries one: the caps have room for that.
    safe = shared.wallet.safe
    shared.node.set_owners(safe.address, [item.address for item in safe.owners.all()])
    op = shared.submit(op)
    assert (op.status, op.failure_code) == (Status.SUBMITTED, "")


def test_nothing_goes_with_too_few(shared: SharedWorld):
    op = shared.approve(shared.prepare())

    with pytest.raises(NotApprovedYet):
        queue.send_now(op=op)

    assert shared.fresh(op).status == Status.AWAITING_SIGNATURES


def test_what_was_withdrawn_does_not_go(shared: SharedWorld):
    op = shared.approve(shared.prepare())
    ask_for(shared.wallet.safe, 1)
    user_operations.withdraw(op=op)

    with pytest.raises(NotAwaitingSignature):
        queue.send_now(op=op)


# --- Reminders. R61 ---------------------------------------------------------------------


def reminded() -> list[int]:
    events = SecurityEvent.objects.filter(kind=SecurityEvent.Kind.APPROVAL_ASKED)
    return sorted(events.values_list("user", flat=True))


def test_everybody_who_is_missing_is_told_once_a_day(shared: SharedWorld):
    op = shared.approve(shared.prepare())
    other = shared.prepare(shared.draft(value_wei=1))

    first = queue.remind(op=op, sent_by=shared.wallet.user)
    again = queue.remind(op=other, sent_by=shared.wallet.user)

    assert (first.now, first.before) == (2, 0)
    assert (again.now, again.before) == (0, 2)
    assert reminded() == sorted(item.user.pk for item in shared.others)


def test_the_next_day_they_can_be_told_again(shared: SharedWorld):
    op = shared.approve(shared.prepare())
    queue.remind(op=op, sent_by=shared.wallet.user)
    Reminder.objects.update(day="2026-11-20")

    assert queue.remind(op=op, sent_by=shared.wallet.user).now == 2


def test_who_approved_is_not_reminded(shared: SharedWorld):
    op = shared.approve(shared.prepare(), place=1)

    queue.remind(op=op, sent_by=shared.wallet.user)

    assert reminded() == [shared.others[1].user.pk]


def test_there_is_nobody_to_remind_when_only_i_am_missing(shared: SharedWorld):
    op = shared.approve(shared.prepare(), place=1)
    Owner.objects.filter(credential__user=shared.others[1].user).update(
        is_current=False
    )

    with pytest.raises(NobodyToRemind):
        queue.remind(op=op, sent_by=shared.wallet.user)


def test_nobody_is_reminded_of_what_ended(shared: SharedWorld):
    op = shared.prepare()
    user_operations.withdraw(op=op)

    with pytest.raises(NotAwaitingSignature):
        queue.remind(op=shared.fresh(op), sent_by=shared.wallet.user)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_ten_reminders_at_once_are_one():
    shared = make_shared_world()
    op = shared.approve(shared.prepare())

    all_at_once(10, lambda: queue.remind(op=op, sent_by=shared.wallet.user))

    assert reminded() == [shared.others[0].user.pk]
