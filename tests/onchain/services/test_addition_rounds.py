"""One press adds a passkey to several accounts, once however often it is sent (R50)."""

from __future__ import annotations

import uuid

import pytest

from onchain.errors import IdempotencyConflict, PasskeyNotProven
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from onchain.services import addition_rounds
from tests.onchain.additions import Newcomer, newcomer, say_proven, second_account
from tests.threads import all_at_once
from tests.wallets import make_wallet

pytestmark = pytest.mark.django_db
KEY = uuid.UUID("ffffffff-ffff-4fff-bfff-ffffffffffff")  # the last of its round's keys


def proven_newcomer() -> Newcomer:
    new = newcomer(make_wallet())
    for safe in (new.wallet.safe, second_account(new.wallet)):
        say_proven(new, safe)
    return new


def draft(new: Newcomer, key: uuid.UUID = KEY) -> list[UserOperation]:
    return addition_rounds.draft_round(
        safes=list(new.wallet.user.safes.order_by("-pk")),
        user=new.wallet.user,
        credential=new.credential,
        idempotency_key=key,
    )


def test_a_round_has_an_operation_for_each_account_in_order():
    new = proven_newcomer()

    operations = draft(new)

    places = [addition_rounds.place_of(op) for op in operations]
    assert [op.safe for op in operations] == list(new.wallet.user.safes.order_by("pk"))
    assert [(place.number, place.total) for place in places] == [(1, 2), (2, 2)]
    assert [place.next for place in places] == [operations[1], operations[0]]


@pytest.mark.parametrize(
    ("status", "is_next"),
    [
        (Status.DRAFT, True),
        (Status.AWAITING_SIGNATURES, True),
        (Status.SIGNED, False),
        (Status.INCLUDED, False),
        (Status.WITHDRAWN, False),
        (Status.EXPIRED, False),
    ],
)
def test_next_is_only_what_a_person_still_has_to_sign(status, is_next):
    first, second = draft(proven_newcomer())
    UserOperation.objects.filter(pk=second.pk).update(status=status)

    found = addition_rounds.place_of(first).next

    assert (found == second) is is_next


def test_the_same_key_of_another_person_is_another_round():
    first, second = proven_newcomer(), proven_newcomer()

    draft(first)
    operations = draft(second)

    assert [op.created_by for op in operations] == [second.wallet.user] * 2
    assert addition_rounds.place_of(operations[0]).total == 2


def test_a_round_is_drafted_whole_or_not_at_all():
    new = newcomer(make_wallet())
    second_account(new.wallet)
    say_proven(new, new.wallet.safe)

    with pytest.raises(PasskeyNotProven, match="^Savings: "):
        draft(new)

    assert not UserOperation.objects.exists()


def test_a_key_stands_for_one_passkey():
    new = proven_newcomer()
    draft(new)
    UserOperation.objects.update(status=Status.EXPIRED)
    other = newcomer(new.wallet)

    with pytest.raises(IdempotencyConflict):
        addition_rounds.draft_round(
            safes=list(new.wallet.user.safes.all()),
            user=new.wallet.user,
            credential=other.credential,
            idempotency_key=KEY,
        )


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_press_sent_ten_times_at_once_drafts_one_round():
    new = proven_newcomer()

    results = all_at_once(10, lambda: [op.pk for op in draft(new)])

    assert UserOperation.objects.count() == 2
    assert results == [results[0]] * 10
