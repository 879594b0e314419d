"""Putting accounts on the real chain while others take their addresses (R23, R68)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.conf import settings as django_settings
from eth_account import Account
from eth_account.signers.local import LocalAccount

from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.models import Budget, Chain, RelayerTransaction, Safe
from onchain.models.operation_states import Status
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.types import Address
from onchain.services import (
    budgets,
    chains,
    deployment_batches,
    deployment_waits,
    deployments,
    follower,
    relayer,
    relaying,
)
from onchain.services.local_chain import LocalChain
from tests.factories import ETHER, Wallet, World, make_queued_wallet
from wallet_site import chain_state

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

PATIENCE = 30.0  # seconds; a busy machine is no failure
STRANGER = 9  # place of an account that anvil signs for and nothing else here uses
PLACES = pytest.mark.parametrize(
    "place",
    [
        pytest.param(0, id="first", marks=pytest.mark.thorough),
        pytest.param(1, id="middle"),
        pytest.param(2, id="last", marks=pytest.mark.thorough),
    ],
)


@dataclass(frozen=True, kw_only=True)
class Relay:
    """A relayer with a key of its own on the real chain."""

    local: LocalChain
    chain: Chain
    account: LocalAccount

    def run(self) -> None:
        relaying.run(chain=self.fresh, node=self.local.node, account=self.account)

    @property
    def fresh(self) -> Chain:
        return Chain.objects.get(pk=self.chain.pk)

    def queue(self, count: int) -> list[Wallet]:
        return [make_queued_wallet(chain=self.chain) for _ in range(count)]

    def until(self, condition: Callable[[], bool]) -> None:
        """Relay and follow until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it never came about"
            self.run()
            if not follower.advance(chain=self.fresh, node=self.local.node):
                time.sleep(0.05)

    def by_a_stranger(self, to: Address, data: bytes) -> None:
        """Send a transaction that is not the site's, and wait for its block."""
        sender = self.local.anvil.accounts()[STRANGER]
        self.local.anvil.wait([self.local.anvil.send(sender, to, data)])


@pytest.fixture
def relay(node_url: str) -> Relay:
    local = chain_state.connect(url=node_url)
    account: LocalAccount = Account.create()
    local.anvil.set_balance(relayer.sender_of(account), 10 * ETHER)
    chain = chains.connect(node=local.node)
    follower.advance(chain=chain, node=local.node)  # it begins before anything is sent
    return Relay(local=local, chain=chain, account=account)


def deploy_alone(relay: Relay, safe: Safe) -> None:
    data = aggregate3_data(deployments.calls(safe), allow_failure=False)
    relay.by_a_stranger(MULTICALL3, data)


def are_live(wallets: list[Wallet]) -> bool:
    pks = [wallet.safe.pk for wallet in wallets]
    return Safe.objects.filter(pk__in=pks, status="deployed").count() == len(pks)


def have_code(relay: Relay, wallets: list[Wallet]) -> bool:
    addresses = [Address(wallet.safe.address) for wallet in wallets]
    addresses += [Address(wallet.owner.address) for wallet in wallets]
    return all(relay.local.node.codes(addresses, "latest"))


@PLACES
def test_an_address_taken_before_signing_is_left_out(relay: Relay, place: int):
    wallets = relay.queue(3)
    deploy_alone(relay, wallets[place].safe)

    relay.until(lambda: are_live(wallets))

    (row,) = RelayerTransaction.objects.all()
    assert (row.status, row.safes.count()) == ("mined", 2)
    assert have_code(relay, wallets)


@PLACES
def test_an_address_taken_after_signing_burns_the_batch_and_the_rest_goes_singly(
    relay: Relay, place: int
):
    wallets = relay.queue(3)
    burned = deployment_batches.sign_next_batch(
        chain=relay.fresh, node=relay.local.node, account=relay.account
    )
    deploy_alone(relay, wallets[place].safe)

    relay.until(lambda: are_live(wallets))

    burned.refresh_from_db()
    assert (burned.status, burned.failure_code) == ("failed", "reverted")
    assert burned.gas_used > 0
    singles = RelayerTransaction.objects.filter(status="mined")
    assert [row.safes.count() for row in singles] == [1, 1]
    assert not RelayerTransaction.objects.in_flight().exists()
    assert have_code(relay, wallets)
    spent = (
        10 * ETHER - relay.local.node.balances([relayer.sender_of(relay.account)])[0]
    )
    pool = Budget.Pool.DEPLOYMENTS
    assert budgets.used_today(chain=relay.chain, pool=pool) == spent


@pytest.mark.thorough
def test_an_account_that_its_owner_deploys_from_any_wallet_is_live_and_sends(
    relay: Relay, bundler_url: str, settings
):
    settings.DEPLOY_DAILY_WEI = 0
    (wallet,) = relay.queue(1)
    relay.run()
    safe = Safe.objects.select_related("chain").get(pk=wallet.safe.pk)
    call = deployment_waits.own_call(safe=safe)

    relay.by_a_stranger(call.to, call.data)
    relay.until(lambda: are_live([wallet]))

    assert not RelayerTransaction.objects.exists()
    relay.local.anvil.set_balance(Address(safe.address), ETHER)
    rpc = JsonRpc(url=bundler_url, timeout=django_settings.CLIENT_TIMEOUT)
    world = World(
        wallet=wallet,
        node=relay.local.node,
        bundler=Bundler(rpc),
        sponsor_key=django_settings.SPONSOR_PRIVATE_KEY,
    )
    safe.refresh_from_db()
    op = world.submit(world.sign(world.prepare(world.draft(safe=safe))))
    assert op.status == Status.SUBMITTED, (op.failure_code, op.failure_detail)
    relay.until(lambda: world.fresh(op).status == Status.INCLUDED)


def test_a_batch_above_half_a_block_is_halved(relay: Relay, monkeypatch):
    wallets = relay.queue(3)
    monkeypatch.setattr(
        type(relay.local.node), "block_gas_limit", lambda _node: 2 * 1_000_000
    )

    relay.until(lambda: are_live(wallets))

    rows = RelayerTransaction.objects.order_by("pk")
    assert [row.safes.count() for row in rows] == [1, 2]
    assert all(row.gas_limit <= 1_000_000 for row in rows)
