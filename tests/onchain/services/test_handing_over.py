"""Whose turn it is to carry a signed operation, and when the relayer does it itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import cycle, islice

import pytest
from django.utils import timezone

from onchain.clients.errors import ClientError, TransientClientError
from onchain.models import RelayerTransaction, UserOperation
from onchain.models.operation_states import Carrier, Status
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.types import Address
from onchain.protocol.user_operation import handle_ops_data
from onchain.services import relayed_operations, submission, user_operations
from tests.factories import ETHER, World, make_wallet
from tests.fake_bundler import FakeBundler
from tests.onchain.services.happenings import follow, outcome
from tests.tampering import tamper

RELAYER = Address(b"\xea" * 20)
AWAY = TransientClientError("ConnectTimeout")
Purpose = RelayerTransaction.Purpose


@pytest.fixture
def world(world: World, settings) -> World:
    """Two bundlers and a relayer that carries operations."""
    settings.RELAYER_CARRIES_OPERATIONS = True
    settings.RELAYER_CARRY_LOSS_WEI = 10**16
    return replace(world, second_bundler=FakeBundler(), relayer=RELAYER)


@pytest.fixture
def lone(world: World) -> World:
    """One bundler and the relayer."""
    return replace(world, second_bundler=None)


def aged(world: World, op: UserOperation, seconds: int) -> UserOperation:
    """Return the operation as if it had been signed, sent and tried a while ago."""
    moment = timezone.now() - timedelta(seconds=seconds)
    row = UserOperation.objects.filter(pk=op.pk)
    tamper(op, signed_at=moment)
    row.filter(submitted_at__isnull=False).update(submitted_at=moment)
    row.filter(handed_at__isnull=False).update(handed_at=moment)
    row.update(attempted_at=moment)
    return world.fresh(op)


def taken_back(world: World, op: UserOperation) -> UserOperation:
    """Return the operation as a rewind leaves it."""
    UserOperation.objects.filter(pk=op.pk).update(attempted_at=None)
    return world.fresh(op)


def carried(op: UserOperation) -> list[RelayerTransaction]:
    return list(op.relayer_transactions.order_by("pk"))


# --- The second bundler -----------------------------------------------------------------


def test_who_has_it_and_since_when_is_written_down(world: World):
    before = timezone.now()

    op = world.submit()

    assert op.carrier == Carrier.BUNDLER
    assert op.handed_at >= before
    assert world.second_bundler.calls == []


# R21: one request to the node, one to the bundler.
def test_a_first_attempt_takes_two_requests(world: World):
    op = world.sign()
    world.node.calls.clear()
    world.bundler.calls.clear()

    world.submit(op)

    assert world.node.calls + world.bundler.calls == ["call", "send"]


def test_while_the_first_is_away_the_second_takes_it(world: World):
    op = world.sign()
    world.bundler.failure = AWAY

    op = world.submit(op)

    assert (op.status, op.carrier) == (Status.SUBMITTED, Carrier.SECOND_BUNDLER)
    assert list(world.second_bundler.held) == [op.user_operation_hash]


def test_after_fifteen_seconds_the_second_gets_the_same_operation(world: World):
    op = world.submit()

    op = world.submit(aged(world, op, 16))

    assert op.carrier == Carrier.SECOND_BUNDLER
    assert world.second_bundler.sent == world.bundler.sent


def test_after_a_reorg_the_second_gets_it_at_once(world: World):
    op = world.submit()

    op = world.submit(taken_back(world, op))

    assert op.carrier == Carrier.SECOND_BUNDLER
    assert world.second_bundler.sent == world.bundler.sent


def test_a_reason_that_is_not_the_entry_points_is_not_the_last_word(world: World):
    op = world.sign()
    world.bundler.refusal = ClientError("bundler-throttled", "-32504")

    op = world.submit(op)

    assert (op.status, op.carrier) == (Status.SUBMITTED, Carrier.SECOND_BUNDLER)


def test_the_entry_points_reason_is(world: World):
    op = world.sign()
    world.bundler.refusal = ClientError("AA21", "didn't pay prefund")

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "AA21")
    assert world.second_bundler.calls == []


def test_both_have_to_refuse_for_it_to_be_rejected(world: World):
    op = world.sign()
    for bundler in (world.bundler, world.second_bundler):
        bundler.refusal = ClientError("bundler-throttled", "-32504")

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "bundler-throttled")


@pytest.mark.parametrize("code", ["AA25", "bundler-throttled"])
def test_a_refusal_does_not_count_while_the_first_may_have_taken_it(world, code: str):
    op = world.sign()
    world.bundler.loses_replies = True
    world.second_bundler.refusal = ClientError(code)

    with pytest.raises(TransientClientError):
        world.submit(op)

    assert world.fresh(op).status == Status.SIGNED


# R45
def test_a_lost_reply_is_found_at_the_bundler_that_has_it(world: World):
    op = world.sign()
    world.bundler.failure = AWAY
    world.second_bundler.loses_replies = True
    with pytest.raises(TransientClientError):
        world.submit(op)
    world.second_bundler.loses_replies = False

    op = world.submit(aged(world, op, 3))

    assert op.carrier == Carrier.SECOND_BUNDLER
    assert len(world.second_bundler.sent) == 1


# --- The relayer ------------------------------------------------------------------------


def test_after_both_had_their_turn_the_relayer_carries_it(world: World):
    op = world.submit(aged(world, world.submit(), 16))

    op = world.submit(aged(world, op, 31))

    (row,) = carried(op)
    signed = submission.checked(op)
    assert (op.status, op.carrier) == (Status.SUBMITTED, Carrier.RELAYER)
    assert (row.purpose, row.to) == (Purpose.HANDLE_OPS, ENTRY_POINT)
    assert bytes(row.data) == handle_ops_data([signed], RELAYER)
    assert row.value_wei == 0
    assert row.gas_limit > op.verification_gas_limit + op.call_gas_limit


# R69
@pytest.mark.parametrize("is_safety", [False, True])
def test_what_keeps_an_account_safe_is_marked_for_the_relayers_reserve(
    world: World, monkeypatch, is_safety: bool
):
    op = world.submit(aged(world, world.submit(), 16))
    kinds = frozenset({op.kind} if is_safety else ())
    monkeypatch.setattr(relayed_operations, "SAFETY_KINDS", kinds)

    op = world.submit(aged(world, op, 31))

    (row,) = carried(op)
    assert row.is_safety is is_safety


def test_it_waits_for_the_second_ones_fifteen_seconds(world: World):
    op = world.submit(aged(world, world.submit(), 16))

    op = world.submit(aged(world, op, 29))

    assert op.carrier == Carrier.SECOND_BUNDLER
    assert carried(op) == []


def test_a_second_one_that_is_away_changes_nothing_for_the_first(world: World):
    op = world.submit()
    world.second_bundler.failure = AWAY

    op = world.submit(aged(world, op, 16))

    assert op.carrier == Carrier.BUNDLER
    assert carried(op) == []


@pytest.mark.parametrize("trouble", [AWAY, ClientError("bundler-throttled")])
def test_a_second_one_that_never_takes_it_does_not_hold_up_the_relayer(world, trouble):
    op = world.submit()
    world.second_bundler.failure = trouble

    op = world.submit(aged(world, op, 31))

    assert op.carrier == Carrier.RELAYER


# Some bundlers answer "already known" for ever after a reorg, and never include it.
def test_one_that_knows_it_and_never_mines_is_passed_by(lone: World):
    op = lone.submit()

    early = lone.submit(aged(lone, op, 16))
    late = lone.submit(aged(lone, op, 31))

    assert early.carrier == Carrier.BUNDLER
    assert late.carrier == Carrier.RELAYER
    assert len(lone.bundler.sent) == 1


def test_after_a_reorg_an_only_bundler_that_knows_it_is_passed_by_at_once(lone: World):
    op = lone.submit()

    op = lone.submit(taken_back(lone, op))

    assert op.carrier == Carrier.RELAYER


def test_after_a_reorg_an_only_bundler_that_forgot_it_gets_it_again(lone: World):
    op = lone.submit()
    lone.bundler.held.clear()

    op = lone.submit(taken_back(lone, op))

    assert op.carrier == Carrier.BUNDLER
    assert lone.bundler.sent[0] == lone.bundler.sent[1]


def test_when_nobody_answered_for_both_turns_the_relayer_carries_it(world: World):
    op = world.sign()
    world.bundler.failure = world.second_bundler.failure = AWAY
    with pytest.raises(TransientClientError):
        world.submit(op)

    op = world.submit(aged(world, op, 31))

    assert (op.status, op.carrier) == (Status.SUBMITTED, Carrier.RELAYER)


def test_one_is_under_way_at_a_time(world: World):
    op = world.submit(aged(world, world.submit(), 31))
    op = world.submit(aged(world, op, 31))
    world.submit(aged(world, op, 60))

    RelayerTransaction.objects.update(status=RelayerTransaction.Status.BROADCAST)
    world.submit(aged(world, op, 90))

    assert len(carried(op)) == 1


def test_what_the_relayer_signed_is_left_to_it(world: World):
    op = world.submit(aged(world, world.submit(), 31))
    op = world.submit(aged(world, op, 31))
    RelayerTransaction.objects.update(status=RelayerTransaction.Status.SIGNED)
    for bundler in (world.bundler, world.second_bundler):
        bundler.calls.clear()

    op = world.submit(aged(world, op, 90))

    assert op.carrier == Carrier.RELAYER
    assert world.bundler.calls + world.second_bundler.calls == []


def test_three_failed_transactions_are_enough(world: World):
    op = world.submit(aged(world, world.submit(), 31))
    for _ in range(5):
        op = world.submit(aged(world, op, 60))
        RelayerTransaction.objects.update(
            status=RelayerTransaction.Status.FAILED, gas_used=60_000
        )

    assert len(carried(op)) == relayed_operations.MAX_ATTEMPTS
    assert op.status == Status.SUBMITTED


def test_an_account_that_makes_them_fail_is_carried_no_more_today(world: World):
    op = world.submit()
    limit = relayed_operations.MAX_FAILURES
    rows = [
        RelayerTransaction(
            chain=op.safe.chain,
            purpose=RelayerTransaction.Purpose.HANDLE_OPS,
            operation=op,
            to=b"\1" * 20,
            status=RelayerTransaction.Status.FAILED,
            gas_used=60_000,
        )
        for _ in range(limit)
    ]
    RelayerTransaction.objects.bulk_create(rows)
    other = world.submit()

    for _ in range(3):
        other = world.submit(aged(world, other, 60))

    assert carried(other) == []


def late_payment(world: World) -> UserOperation:
    """A payment whose next turn is the relayer's."""
    op = world.submit(aged(world, world.submit(), 16))
    return aged(world, op, 31)


def test_a_used_nonce_is_left_to_the_follower(world: World):
    op = late_payment(world)
    world.node.sequences[op.safe.address, op.nonce_key] = 1
    for bundler in (world.bundler, world.second_bundler):
        bundler.held.clear()
        bundler.calls.clear()

    op = world.submit(op)

    assert carried(op) == []
    assert world.bundler.calls + world.second_bundler.calls == []


def test_what_would_fail_is_not_paid_for(world: World):
    op = late_payment(world)
    world.node.handle_ops_refusal = "AA24 signature error"

    op = world.submit(op)

    assert carried(op) == []
    assert op.status == Status.SUBMITTED


@pytest.mark.parametrize(("seconds_left", "is_carried"), [(30, True), (29, False)])
def test_what_may_be_too_late_is_not_paid_for(world: World, seconds_left, is_carried):
    op = late_payment(world)
    missing = op.valid_until - seconds_left - world.node.blocks[-1].timestamp
    world.node.mine(seconds=missing)

    op = world.submit(op)

    assert (len(carried(op)) == 1) is is_carried


def test_an_operator_can_switch_it_off(world: World, settings):
    settings.RELAYER_CARRIES_OPERATIONS = False

    assert carried(world.submit(late_payment(world))) == []


def test_nothing_is_carried_at_more_loss_than_the_operator_allows(world, settings):
    op = late_payment(world)
    signed = submission.checked(op)
    snapshot = world.node.account_snapshot(op.safe.address, [0])
    data = handle_ops_data([signed], RELAYER)
    dearer = replace(snapshot, base_fee_wei=3 * snapshot.base_fee_wei)
    loss = relayed_operations.expected_loss_wei(signed, data=data, snapshot=dearer)
    world.node.account_snapshot = lambda *_: dearer

    settings.RELAYER_CARRY_LOSS_WEI = loss - 1
    refused = world.submit(op)
    settings.RELAYER_CARRY_LOSS_WEI = loss
    accepted = world.submit(aged(world, op, 60))

    assert loss > 0
    assert refused.carrier == Carrier.SECOND_BUNDLER
    assert accepted.carrier == Carrier.RELAYER


def test_at_the_same_price_the_refund_is_short_by_what_the_entry_point_misses(world):
    op = world.sign()
    signed = submission.checked(op)
    snapshot = world.node.account_snapshot(op.safe.address, [0])
    data = handle_ops_data([signed], RELAYER)
    unseen = relayed_operations.unseen_gas(data)
    price = snapshot.base_fee_wei + snapshot.tip_wei
    for short in (0, 7):
        paid = replace(signed, pre_verification_gas=unseen - short)
        loss = relayed_operations.expected_loss_wei(paid, data=data, snapshot=snapshot)
        assert loss == short * price


# R46: whoever carried it, the EntryPoint's log says what became of it.
@pytest.mark.parametrize("status", [RelayerTransaction.Status.FAILED, None])
def test_a_bundler_that_was_faster_costs_nobody_the_payment(world: World, status):
    follow(world)
    op = world.submit(late_payment(world))
    if status:
        RelayerTransaction.objects.update(status=status, failure_code="reverted")
    world.node.mine(outcome(op))

    follow(world)

    assert world.fresh(op).status == Status.INCLUDED


# --- R47: nobody to be reached -------------------------------------------------------------


def test_twenty_operations_wait_for_a_bundler_until_their_time_is_over(world: World):
    world = replace(world, relayer=None)
    places = islice(cycle(accounts(world)), 20)
    waiting = [(place, place.sign()) for place in places]
    hashes = {op.pk: op.user_operation_hash for _place, op in waiting}
    bundlers = (world.bundler, world.second_bundler)
    for attempt in range(3):
        for bundler in bundlers:
            bundler.failure = AWAY
        for place, op in waiting:
            with pytest.raises(TransientClientError):
                place.submit(aged(place, op, 3 + attempt))
    for bundler in bundlers:
        bundler.failure = None

    back = [place.submit(aged(place, op, 3)) for place, op in waiting[:10]]
    world.confirm_time(max(op.valid_until for _place, op in waiting) + 1)
    for place, op in waiting[10:]:
        place.submit(aged(place, op, 3))
    user_operations.expire_operations(chain=world.chain)

    rows = UserOperation.objects.order_by("pk")
    assert {op.status for op in back} == {Status.SUBMITTED}
    assert list(world.bundler.held) == [op.user_operation_hash for op in back]
    assert {row.pk: row.user_operation_hash for row in rows} == hashes
    assert {row.status for row in rows} == {Status.EXPIRED}


def accounts(world: World) -> list[World]:
    """Return the world of three accounts; each has eight lanes."""
    places = [world]
    for _ in range(2):
        place = replace(world, wallet=make_wallet())
        world.node.deploy(place.wallet.safe)
        world.node.account_balances[place.wallet.safe.address] = ETHER
        places.append(place)
    return places
