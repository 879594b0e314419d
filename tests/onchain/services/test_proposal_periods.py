"""How long a proposal holds, and what it may cost for that long. R20, R21, R57."""

from __future__ import annotations

import pytest

from onchain.models import Chain, Safe
from onchain.models.operation_states import Status
from onchain.services import gas
from onchain.services.proposal_periods import Period
from tests.factories import World
from tests.fakes import BASE_FEE_WEI, TIP_WEI
from tests.several import SharedWorld, ask_for, make_shared_world


@pytest.fixture
def shared(db: None) -> SharedWorld:
    return make_shared_world()


def life(world: World, **draft: int | None) -> int:
    op = world.prepare(world.draft(**draft))
    return op.valid_until - world.node.blocks[-1].timestamp


# R20
@pytest.mark.parametrize("period", Period.values)
def test_a_proposal_holds_for_the_time_that_was_chosen(shared: SharedWorld, period):
    assert life(shared, period_seconds=period) == period


def test_without_a_choice_it_holds_for_a_day(shared: SharedWorld):
    assert life(shared) == 86_400


# R20
@pytest.mark.parametrize(
    "paymaster", ["", "0x700b6A60ce7EaaEA56F065753d8dcB9653dbAD35"]
)
def test_what_one_owner_signs_never_holds_for_more_than_an_hour(
    world: World, settings, paymaster
):
    settings.PAYMASTER_ADDRESS = paymaster

    assert life(world, period_seconds=Period.THIRTY_DAYS) <= 3_600


# R20
def test_a_threshold_that_dropped_before_preparation_shortens_it(shared: SharedWorld):
    op = shared.draft(period_seconds=Period.THIRTY_DAYS)
    ask_for(shared.wallet.safe, 1)

    op = shared.prepare(op)

    assert op.valid_until - shared.node.blocks[-1].timestamp <= 3_600


# R57
@pytest.mark.parametrize("period", [Period.ONE_HOUR, Period.THIRTY_DAYS])
def test_the_sponsors_promise_lives_as_long_and_its_cost_is_reserved(
    shared: SharedWorld, period
):
    op = shared.prepare(shared.draft(period_seconds=period))

    assert op.is_sponsored
    assert op.sponsorship.valid_until == op.valid_until
    assert op.sponsorship.reserved_wei == op.max_cost_wei
    # VerifyingPaymaster's data begin with abi.encode(validUntil, validAfter).
    assert int.from_bytes(bytes(op.paymaster_data)[:32], "big") == op.valid_until


# R57
def test_the_account_pays_for_its_fourth_proposal_of_thirty_days(shared: SharedWorld):
    draft = {"period_seconds": Period.THIRTY_DAYS, "value_wei": 1}
    sponsored = [shared.prepare(shared.draft(**draft)) for _ in range(3)]

    fourth = shared.prepare(shared.draft(**draft))

    assert all(op.is_sponsored for op in sponsored)
    assert not fourth.is_sponsored
    assert fourth.unsponsored_reason == "proposals-full"
    assert fourth.valid_until - shared.node.blocks[-1].timestamp == Period.THIRTY_DAYS


# R21
def test_a_proposals_fee_holds_for_a_tripled_base_fee_and_no_more(shared: SharedWorld):
    op = shared.prepare()

    assert op.max_fee_per_gas == 3 * BASE_FEE_WEI + TIP_WEI


# R21
@pytest.mark.parametrize(("above", "is_outgrown"), [(0, False), (1, True)])
def test_the_chain_outgrows_a_proposal_when_its_base_fee_passes_the_cap(
    shared: SharedWorld, above, is_outgrown
):
    op = shared.prepare()
    Chain.objects.update(base_fee_wei=op.max_fee_per_gas + above)

    assert gas.is_outgrown(shared.fresh(op)) == is_outgrown


def test_a_chain_that_was_not_read_yet_has_outgrown_nothing(shared: SharedWorld):
    op = shared.prepare()
    Chain.objects.update(base_fee_wei=None)

    assert not gas.is_outgrown(shared.fresh(op))


def test_preparing_again_keeps_the_time_that_was_chosen(shared: SharedWorld):
    op = shared.prepare(shared.draft(period_seconds=Period.THREE_DAYS))
    shared.confirm_time(op.valid_until + 1)
    shared.wallet.safe.operations.filter(pk=op.pk).update(status=Status.EXPIRED)

    again = shared.prepare_again(op)

    assert again.period_seconds == Period.THREE_DAYS
    assert Safe.objects.get().threshold == 2
