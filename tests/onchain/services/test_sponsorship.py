"""The operator's limits: exact, also when many ask at once (R57)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from eth_account import Account
from eth_account.messages import encode_defunct

from onchain.clients.errors import ClientError, TransientClientError
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.paymaster import verifying_paymaster_hash
from onchain.services import sponsorship
from tests.factories import SPONSOR_KEY, World, make_world
from tests.fakes import CHAIN_ID
from tests.threads import all_at_once


def sponsored() -> int:
    return UserOperation.objects.filter(paymaster__isnull=False).count()


def test_the_sponsor_signs_the_operation_that_the_account_signs(world: World):
    op = world.prepare().to_protocol()
    digest = verifying_paymaster_hash(
        op,
        chain_id=CHAIN_ID,
        paymaster=op.paymaster.address,
        valid_until=int.from_bytes(op.paymaster.data[:32], "big"),
        valid_after=int.from_bytes(op.paymaster.data[32:64], "big"),
    )

    signer = Account.recover_message(
        encode_defunct(digest), signature=op.paymaster.data[64:]
    )

    assert signer == Account.from_key(SPONSOR_KEY).address


def test_the_sponsors_word_ends_with_the_operation(world: World):
    op = world.prepare()

    assert int.from_bytes(bytes(op.paymaster_data)[:32], "big") == op.valid_until


def test_an_accounts_limit_holds_to_the_last_operation(world: World, settings):
    settings.SPONSOR_DAILY_OPERATIONS = 3

    paid = [world.prepare().is_sponsored for _ in range(5)]

    assert paid == [True, True, True, False, False]


def test_the_limit_of_all_accounts_holds_over_them(world: World, settings):
    settings.SPONSOR_DAILY_TOTAL = 3
    other = make_world()

    paid = [one.prepare().is_sponsored for one in (world, other) * 2]

    assert paid == [True, True, True, False]


def test_an_accounts_limit_is_its_own(world: World, settings):
    settings.SPONSOR_DAILY_OPERATIONS = 1
    world.prepare()

    assert make_world().prepare().is_sponsored


def test_yesterdays_operations_do_not_count(world: World, settings):
    settings.SPONSOR_DAILY_OPERATIONS = 1
    world.prepare()
    UserOperation.objects.update(prepared_at=timezone.now() - timedelta(days=1))

    assert world.prepare().is_sponsored


@pytest.mark.parametrize(("after", "is_free"), [(-1, False), (0, False), (1, True)])
@pytest.mark.parametrize("status", [Status.WITHDRAWN, Status.EXPIRED])
def test_what_nobody_signed_takes_a_place_until_it_cannot_be_included(
    world: World, settings, status: str, after: int, is_free: bool
):
    settings.SPONSOR_DAILY_OPERATIONS = 1
    op = world.prepare()
    UserOperation.objects.update(status=status)
    world.confirm_time(op.valid_until + after)

    assert world.prepare().is_sponsored == is_free


def test_what_was_included_without_us_takes_a_place(world: World, settings):
    settings.SPONSOR_DAILY_OPERATIONS = 1
    op = world.prepare()
    UserOperation.objects.update(status=Status.INCLUDED, included_at=timezone.now())
    world.confirm_time(op.valid_until + 1)

    assert not world.prepare().is_sponsored


def test_a_sponsor_that_cannot_pay_leaves_it_to_the_account(world: World):
    estimate = world.bundler.estimate

    def empty_deposit(op):
        if op.paymaster is not None:
            raise ClientError("AA31", "paymaster deposit too low")
        return estimate(op)

    world.bundler.estimate = empty_deposit

    op = world.prepare()

    assert op.status == Status.AWAITING_SIGNATURES
    assert not op.is_sponsored


def test_the_cap_for_one_operation_is_exact(world: World, settings):
    cost = world.prepare().max_cost_wei

    settings.SPONSOR_OPERATION_WEI = cost
    assert world.prepare().is_sponsored
    settings.SPONSOR_OPERATION_WEI = cost - 1
    assert not world.prepare().is_sponsored


def test_without_a_paymaster_there_is_no_room(world: World, settings):
    settings.PAYMASTER_ADDRESS = ""

    assert not sponsorship.has_room(safe=world.wallet.safe)
    assert sponsorship.stub(private_key=SPONSOR_KEY) is None


def test_an_operation_without_a_paymaster_is_never_sponsored(world: World, settings):
    settings.PAYMASTER_ADDRESS = ""
    op = world.prepare()

    with pytest.raises(ValueError, match="no paymaster"):
        sponsorship.signed(
            op=op.to_protocol(),
            chain=world.chain,
            valid_until=1,
            private_key=SPONSOR_KEY,
        )


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_an_accounts_limit_is_exact_under_parallel_asks(
    transactional_world: World, settings
):
    world = transactional_world
    settings.SPONSOR_DAILY_OPERATIONS = 3
    drafts = iter([world.draft(value_wei=place) for place in range(8)])

    all_at_once(8, lambda: prepared_until_done(world, next(drafts)))

    assert sponsored() == 3
    assert UserOperation.objects.filter(status=Status.AWAITING_SIGNATURES).count() == 8


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_the_limit_of_all_accounts_is_exact_under_parallel_asks(
    transactional_db, settings
):
    worlds = [make_world() for _ in range(10)]
    settings.SPONSOR_DAILY_TOTAL = 4
    each = iter(worlds)

    all_at_once(10, lambda: next(each).prepare())

    assert sponsored() == 4


def prepared_until_done(world: World, op: UserOperation) -> None:
    """Prepare as a worker does: again after another one took the nonce."""
    for _attempt in range(20):
        try:
            world.prepare(op)
        except TransientClientError:
            continue
        return
