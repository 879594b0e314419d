"""Carrying operations with the real contracts: past a liar, past a cut, and once only."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from django.conf import settings as django_settings

from onchain.clients.bundler import Bundler
from onchain.clients.errors import ClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.models import RelayerTransaction, UserOperation
from onchain.models.operation_states import Carrier, Status
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.types import Address
from onchain.protocol.user_operation import handle_ops_data
from onchain.services import relayed_operations, relayer, relaying, submission
from tests.factories import PAYEE, World
from tests.fake_bundler import FakeBundler
from tests.onchain.services.test_handing_over import aged
from tests.onchain.services.test_owners_on_chain import (
    SENDER,
    eventually,
    execute,
)
from tests.onchain.services.test_owners_on_chain import local as local
from tests.onchain.services.test_owners_on_chain import real_world as real_world

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

ENDED = (Status.INCLUDED, Status.REVERTED, Status.REPLACED)


def ended(world: World, op: UserOperation) -> bool:
    return world.fresh(op).status in ENDED


@pytest.mark.parametrize(
    "is_sponsored", [True, pytest.param(False, marks=pytest.mark.thorough)]
)
def test_past_a_bundler_that_never_mines_the_relayer_carries_it_at_no_cost(
    real_world: World, settings, is_sponsored: bool
):
    if not is_sponsored:
        settings.PAYMASTER_ADDRESS = ""
    account = relayer.account_of(django_settings.RELAYER_PRIVATE_KEY)
    sender = relayer.sender_of(account)
    op = real_world.sign()
    settings.RELAYER_CARRY_LOSS_WEI = 10**15
    liar = replace(real_world, bundler=FakeBundler(), relayer=sender)
    op = liar.submit(aged(liar, liar.submit(op), 31))
    assert op.carrier == Carrier.RELAYER
    (before,) = liar.node.balances([sender])

    relaying.run(chain=liar.chain, node=liar.node, account=account)
    eventually(liar, lambda: ended(liar, op))

    op = liar.fresh(op)
    row = RelayerTransaction.objects.get(operation=op)
    eventually(liar, lambda: RelayerTransaction.objects.get(pk=row.pk).gas_used)
    row.refresh_from_db()
    (after,) = liar.node.balances([sender])
    unseen = row.gas_used - (op.actual_gas_used - op.pre_verification_gas)
    assert (op.status, row.status) == (Status.INCLUDED, RelayerTransaction.Status.MINED)
    assert op.transaction_hash == row.hash
    # What the estimate of the loss takes the transaction to cost besides is enough, and
    # not much more.
    assert unseen <= relayed_operations.unseen_gas(bytes(row.data)) <= unseen + 15_000
    assert after >= before


def test_while_the_first_bundler_is_away_the_second_gets_it_into_a_block(
    real_world: World,
):
    op = real_world.sign()
    away = Bundler(JsonRpc(url="http://127.0.0.1:9", timeout=1))
    world = replace(real_world, bundler=away, second_bundler=real_world.bundler)

    op = world.submit(op)
    eventually(world, lambda: ended(world, op))

    op = world.fresh(op)
    assert (op.status, op.carrier) == (Status.INCLUDED, Carrier.SECOND_BUNDLER)


# R64: the bundler refuses the first version and keeps it; both are released at once.
def test_of_a_payment_and_its_second_version_the_chain_takes_one(
    real_world: World, local
):
    (before,) = real_world.node.balances([PAYEE])
    cut = replace(real_world, bundler=FakeBundler(refusal=ClientError("no")))
    first = cut.submit(real_world.sign())
    assert first.status == Status.REJECTED
    second = real_world.sign(real_world.prepare_again(first))
    beneficiary = Address(local.anvil.accounts()[SENDER])
    released = handle_ops_data([submission.checked(first)], beneficiary)

    real_world.submit(second)
    with suppress(ClientError):  # the other one may be in a block already
        real_world.node.call(ENTRY_POINT, released, sender=beneficiary)
        execute(local, released, to=ENTRY_POINT)
    eventually(real_world, lambda: ended(real_world, second))
    eventually(real_world, lambda: ended(real_world, first))

    statuses = {real_world.fresh(op).status for op in (first, second)}
    (after,) = real_world.node.balances([PAYEE])
    assert first.user_operation_hash != second.user_operation_hash
    assert statuses == {Status.INCLUDED, Status.REPLACED}
    assert after - before == first.value_wei
