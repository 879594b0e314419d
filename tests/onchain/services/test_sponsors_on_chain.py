"""Sponsors with the real paymaster, the real bundler, and a service over HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.conf import settings as django_settings

from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.paymaster import PaymasterService
from onchain.models import PaymasterDeposit, Safe, Sponsorship
from onchain.models.operation_states import Status
from onchain.protocol.types import Address, to_address
from onchain.services import sponsor_usage, sponsor_watch
from onchain.services.local_chain import LocalChain
from onchain.services.sponsor_watch import OwnKeys
from tests.factories import World
from tests.onchain.services.sponsor_asks import reasons
from tests.onchain.services.test_owners_on_chain import eventually, live_world
from tests.paymaster_service import DATA, STUB, PaymasterServer
from wallet_site import chain_state

pytestmark = [pytest.mark.chain, pytest.mark.django_db]


@pytest.fixture
def local(node_url: str) -> LocalChain:
    return chain_state.connect(url=node_url)


@pytest.fixture
def world(local: LocalChain, bundler_url: str) -> World:
    """A wallet without any ETH, live on the real chain."""
    rpc = JsonRpc(url=bundler_url, timeout=django_settings.CLIENT_TIMEOUT)
    world = live_world(local, Bundler(rpc))
    local.anvil.set_balance(Address(world.wallet.safe.address), 0)
    return world


def test_a_service_pays_for_an_operation_end_to_end(world: World, settings):
    head = world.node.head().timestamp
    paymaster = to_address(settings.PAYMASTER_ADDRESS)
    served = PaymasterServer(
        paymaster=paymaster,
        private_key=settings.SPONSOR_PRIVATE_KEY,
        valid_until=head + 300,
    )
    settings.PAYMASTER_ADDRESS = ""
    with served as server:
        service = PaymasterService(rpc=JsonRpc(url=server.url, timeout=5))
        world = replace(world, paymaster_service=service)
        op = world.prepare(world.draft(value_wei=0))
        assert reasons(op) == [""]
        assert server.methods == [STUB, DATA]

        # A service that signs with a key which the paymaster does not trust.
        server.private_key = "0x" + "11" * 32
        refused = world.prepare(world.draft(value_wei=0))
        assert refused.failure_code == "insufficient-balance-for-fee"
        assert refused.unsponsored_reason == "unusable"

    assert op.valid_until == head + 300
    assert op.paymaster == paymaster
    op = world.submit(world.sign(op))
    eventually(world, lambda: world.fresh(op).status == Status.INCLUDED)

    op = world.fresh(op)
    row = Sponsorship.objects.get(operation=op)
    assert row.paid_wei == op.actual_gas_cost_wei
    assert 0 < row.paid_wei < row.reserved_wei
    assert sponsor_usage.today(chain=world.chain).total.wei == row.paid_wei
    assert Safe.objects.get(pk=op.safe_id).balance_wei == 0


def test_the_real_paymaster_is_in_order(world: World, settings):
    sponsor_watch.watch_configured(
        chain=world.chain,
        node=world.node,
        keys=OwnKeys.of(
            relayer=settings.RELAYER_PRIVATE_KEY, sponsor=settings.SPONSOR_PRIVATE_KEY
        ),
    )

    row = PaymasterDeposit.objects.get()
    assert (row.problem, row.accepts_our_key) == ("", True)
    assert row.deposit_wei > 10**18
    assert reasons(world.prepare(world.draft(value_wei=0))) == [""]
