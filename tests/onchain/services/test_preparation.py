"""Preparing a payment: its lane, its gas, who pays, and what may never be paid twice."""

from __future__ import annotations

import uuid

import pytest

from onchain.clients.bundler import Bundler
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from onchain.errors import NotAwaitingSignature
from onchain.models import Chain, Safe, UserOperation
from onchain.models.user_operation import Status
from onchain.protocol.account_calls import decode_call_data
from onchain.protocol.types import Call
from onchain.services import preparation, user_operations
from tests.factories import ETHER, PAYEE, SPONSOR_KEY, World
from tests.fakes import BASE_FEE_WEI, TIP_WEI
from tests.stub_rpc import StubRpc
from tests.threads import all_at_once


def test_a_prepared_payment_is_the_one_that_was_asked_for(world: World):
    op = world.prepare(world.draft(value_wei=123))

    assert op.status == Status.AWAITING_SIGNATURES
    assert decode_call_data(bytes(op.call_data)) == [Call(to=PAYEE, value_wei=123)]


def test_preparing_takes_two_http_requests(world: World):
    op = world.fresh(world.draft())
    uint = "0x" + (0).to_bytes(32, "big").hex()
    block = {"timestamp": hex(1_900_000_000), "baseFeePerGas": hex(BASE_FEE_WEI)}
    estimate = {
        "callGasLimit": hex(60_000),
        "verificationGasLimit": hex(1),
        "preVerificationGas": hex(50_000),
    }
    with StubRpc() as node, StubRpc() as bundler:
        node.answers = {
            "eth_getBlockByNumber": block,
            "eth_getBalance": hex(ETHER),
            "eth_maxPriorityFeePerGas": hex(TIP_WEI),
            "eth_call": uint,
        }
        bundler.answers = {"eth_estimateUserOperationGas": estimate}
        preparation.prepare(
            op=op,
            node=Node(JsonRpc(url=node.url, timeout=5)),
            bundler=Bundler(JsonRpc(url=bundler.url, timeout=5)),
            sponsor_key=SPONSOR_KEY,
        )

    assert world.fresh(op).status == Status.AWAITING_SIGNATURES
    assert (len(node.requests), len(bundler.requests)) == (1, 1)


def test_preparing_twice_changes_nothing(world: World):
    op = world.prepare()
    before = UserOperation.objects.values().get(pk=op.pk)

    world.prepare(op)

    assert UserOperation.objects.values().get(pk=op.pk) == before


def test_a_payment_withdrawn_while_it_is_prepared_stays_withdrawn(world: World):
    op = world.fresh(world.draft())
    user_operations.withdraw(op=world.fresh(op))

    preparation.prepare(
        op=op, node=world.node, bundler=world.bundler, sponsor_key=SPONSOR_KEY
    )

    assert world.fresh(op).status == Status.WITHDRAWN


def test_a_draft_waits_until_the_account_is_live(world: World):
    Safe.objects.update(status=Safe.Status.BROADCAST)
    op = world.draft()

    with pytest.raises(TransientClientError, match="not live"):
        world.prepare(op)

    assert world.fresh(op).status == Status.DRAFT


@pytest.mark.parametrize("away", ["node", "bundler"])
def test_a_draft_waits_while_one_of_them_is_out_of_reach(world: World, away: str):
    getattr(world, away).failure = TransientClientError("ConnectTimeout")
    op = world.draft()

    with pytest.raises(TransientClientError):
        world.prepare(op)

    assert world.fresh(op).status == Status.DRAFT


def test_an_estimate_that_fails_rejects_the_payment_in_words(world: World):
    world.bundler.estimate_refusal = ClientError("execution-reverted", "GS013")

    op = world.prepare()

    assert (op.status, op.failure_code) == (Status.REJECTED, "execution-reverted")
    assert op.failure_detail == "GS013"


# --- Time. R20, R55, R57 ----------------------------------------------------------------


def test_a_sponsored_payment_holds_for_ten_minutes_of_the_chains_time(world: World):
    head = world.node.mine(seconds=86_400)

    op = world.prepare()

    assert op.valid_until == head.timestamp + 600


def test_a_payment_the_account_pays_for_holds_for_fifteen_minutes(
    world: World, settings
):
    settings.PAYMASTER_ADDRESS = ""

    op = world.prepare()

    assert op.valid_until == world.node.blocks[-1].timestamp + 900


# --- Gas and fees. R21 ------------------------------------------------------------------


def test_verification_gas_comes_from_the_table_not_from_the_bundler(world: World):
    op = world.prepare()

    assert op.verification_gas_limit == (52_000 + 22_000) * 130 // 100


def test_without_the_precompile_verification_gets_more_gas(world: World):
    Chain.objects.update(has_p256_precompile=False)

    op = world.prepare()

    assert op.verification_gas_limit == (52_000 + 240_000) * 130 // 100


def test_the_fee_never_passes_the_ceiling(world: World, settings):
    settings.MAX_FEE_PER_GAS = BASE_FEE_WEI

    op = world.prepare()

    assert op.max_fee_per_gas == BASE_FEE_WEI
    assert op.max_priority_fee_per_gas <= op.max_fee_per_gas


def test_the_fee_holds_for_a_doubled_base_fee_and_no_more_than_three(world: World):
    op = world.prepare()

    assert op.max_fee_per_gas >= 2 * BASE_FEE_WEI
    assert op.max_fee_per_gas <= 3 * BASE_FEE_WEI + TIP_WEI


def test_an_absurd_estimate_is_capped(world: World):
    world.bundler.call_gas = 10**9

    op = world.prepare()

    assert op.call_gas_limit == 5_000_000


def test_the_estimate_is_asked_with_a_signature_as_long_as_the_real_one(world: World):
    op = world.submit()

    (asked,), (sent,) = world.bundler.estimated, world.bundler.sent
    assert len(asked.signature) >= len(sent.signature)
    assert asked.nonce == sent.nonce
    assert op.status == Status.SUBMITTED


# --- Who pays ---------------------------------------------------------------------------


def test_the_operator_pays_within_the_limits(world: World):
    assert world.prepare().is_sponsored


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYMASTER_ADDRESS", ""),
        ("SPONSOR_DAILY_OPERATIONS", 0),
        ("SPONSOR_DAILY_TOTAL", 0),
        ("SPONSOR_OPERATION_WEI", 1),
    ],
)
def test_beyond_a_limit_the_account_pays(world: World, settings, name, value):
    setattr(settings, name, value)

    op = world.prepare()

    assert op.status == Status.AWAITING_SIGNATURES
    assert not op.is_sponsored


def test_a_sponsored_payment_may_take_the_whole_balance(world: World):
    op = world.prepare(world.draft(value_wei=ETHER))

    assert op.status == Status.AWAITING_SIGNATURES


def test_more_than_the_balance_is_refused_before_anybody_is_asked(world: World):
    op = world.prepare(world.draft(value_wei=ETHER + 1))

    assert (op.status, op.failure_code) == (Status.REJECTED, "insufficient-balance")
    assert world.bundler.calls == []


def test_an_account_that_pays_needs_the_fee_beside_the_amount(world: World, settings):
    settings.PAYMASTER_ADDRESS = ""
    cost = world.prepare().max_cost_wei

    exact = world.prepare(world.draft(value_wei=ETHER - cost))
    above = world.prepare(world.draft(value_wei=ETHER - cost + 1))

    assert exact.status == Status.AWAITING_SIGNATURES
    assert above.failure_code == "insufficient-balance-for-fee"


# --- R65: lanes -------------------------------------------------------------------------


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


# --- R64: a retry never makes a second payment ------------------------------------------


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


def test_another_payment_does_not_get_a_nonce_that_was_signed(world: World):
    op = rejected_after_signing(world)

    other = world.prepare(world.draft(value_wei=1))

    assert other.nonce_key != op.nonce_key


def test_once_the_confirmed_head_passed_its_end_a_retry_gets_a_fresh_nonce(
    world: World,
):
    op = rejected_after_signing(world)
    blocker = world.prepare(world.draft(value_wei=1))
    world.confirm_time(op.valid_until + 1)

    again = world.prepare_again(op)

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


def test_a_lane_is_free_once_what_was_rejected_in_it_cannot_be_included(world: World):
    op = rejected_after_signing(world)
    world.confirm_time(op.valid_until + 1)

    other = world.prepare(world.draft(value_wei=1))

    assert other.nonce_key == op.nonce_key
