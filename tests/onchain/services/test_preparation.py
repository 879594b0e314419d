"""Preparing a payment: its time, its gas, who pays."""

from __future__ import annotations

import pytest

from onchain.clients.bundler import Bundler
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from onchain.failures import failure_of
from onchain.models import Chain, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.account_calls import decode_call_data
from onchain.protocol.types import Call
from onchain.services import preparation, user_operations
from tests.factories import ETHER, PAYEE, SPONSOR_KEY, World
from tests.fakes import BASE_FEE_WEI, TIP_WEI
from tests.stub_rpc import StubRpc


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
        ("SPONSOR_OPERATION_GAS", 1),
        ("SPONSOR_DAILY_WEI", 1),
        ("SPONSOR_DAILY_TOTAL_WEI", 1),
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


def test_who_cannot_pay_the_fee_is_told_why_nobody_else_does(world: World, settings):
    settings.SPONSOR_DAILY_OPERATIONS = 0

    op = world.prepare(world.draft(value_wei=ETHER))

    assert op.failure_code == "insufficient-balance-for-fee"
    assert failure_of(op).what.endswith(
        "than this account has. This account's share of today is used up."
    )
