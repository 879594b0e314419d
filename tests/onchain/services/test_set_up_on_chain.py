"""Accounts that set themselves up, with the real contracts and the real bundler."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings

from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.models import Safe
from onchain.models.operation_states import Status
from onchain.protocol.deployments import SAFE_PROXY_FACTORY, SHARED_SIGNER
from onchain.protocol.safe import factory_data
from onchain.protocol.types import Address
from onchain.services import chains, set_up, signers
from onchain.services.local_chain import LocalChain
from tests.factories import ETHER, PAYEE, World
from tests.onchain.services.self_paid import make_self_paid_wallet
from tests.onchain.services.test_owners_on_chain import (
    eventually,
    execute,
    owners_of,
    safe_of,
    settled,
)
from wallet_site import chain_state

pytestmark = [pytest.mark.chain, pytest.mark.django_db]


@pytest.fixture
def local(node_url: str) -> LocalChain:
    return chain_state.connect(url=node_url)


@pytest.fixture
def real_world(local: LocalChain, bundler_url: str) -> World:
    """A wallet with 1 ETH whose account is not on the real chain yet."""
    wallet = make_self_paid_wallet(chains.connect(node=local.node))
    local.anvil.set_balance(Address(wallet.safe.address), ETHER)
    rpc = JsonRpc(url=bundler_url, timeout=django_settings.CLIENT_TIMEOUT)
    return World(
        wallet=wallet,
        node=local.node,
        bundler=Bundler(rpc),
        sponsor_key=django_settings.SPONSOR_PRIVATE_KEY,
    )


def own_signer(world: World) -> bytes:
    key = set_up.shared_owner(world.wallet.safe).public_key
    return signers.signer_for(public_key=key, safe=world.wallet.safe)


def test_the_first_payment_sets_the_account_up_and_pays_for_it(real_world: World):
    world = real_world
    before = world.node.balances([PAYEE])[0]

    op = settled(world, world.sign(world.prepare(world.draft(value_wei=5))))

    assert op.status == Status.INCLUDED, op.failure_detail
    assert op.factory == SAFE_PROXY_FACTORY
    assert op.actual_gas_cost_wei <= op.max_cost_wei
    assert world.node.balances([PAYEE]) == [before + 5]
    eventually(world, lambda: owners_of(world) == [own_signer(world)])
    assert safe_of(world).status == Safe.Status.DEPLOYED
    later = settled(world, world.sign(world.prepare(world.draft(value_wei=6))))
    assert (later.status, later.factory) == (Status.INCLUDED, None)
    assert later.signatures.get().owner.address == own_signer(world)


def test_somebody_else_deploys_it_and_the_next_payment_repairs_it(
    real_world: World, local: LocalChain
):
    world = real_world
    safe = world.wallet.safe
    data = factory_data(setup=bytes(safe.setup_data), salt_nonce=safe.salt_nonce)

    execute(local, data, to=SAFE_PROXY_FACTORY)

    eventually(world, lambda: safe_of(world).owners_synced_block is not None)
    assert owners_of(world) == [SHARED_SIGNER]
    world.wallet.safe.refresh_from_db()
    op = settled(world, world.sign(world.prepare(world.draft(value_wei=5))))
    assert op.status == Status.INCLUDED, op.failure_detail
    assert (op.factory, op.installs_signer) == (None, True)
    eventually(world, lambda: owners_of(world) == [own_signer(world)])
