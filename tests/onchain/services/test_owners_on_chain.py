"""Adding passkeys with the real contracts and the real bundler (R6, R13, R49, R67)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from accounts.models import SecurityEvent
from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.models import Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.models.owner import public_key_of
from onchain.protocol.account_calls import calls_call_data
from onchain.protocol.deployments import ENTRY_POINT, MULTICALL3
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.owners import add_owner_call, create_signer_call
from onchain.protocol.passkey_signature import SafeSignature, operation_signature
from onchain.protocol.safe import deploy_calls
from onchain.protocol.safe_operation import safe_operation_hash
from onchain.protocol.types import Address
from onchain.protocol.user_operation import (
    UserOperationV07,
    handle_ops_data,
    join_nonce,
)
from onchain.services import chains, deployments, follower, passkeys
from onchain.services.local_chain import LocalChain
from tests.e2e.outages import Part
from tests.factories import ETHER, PAYEE, World, assertion_text, make_queued_wallet
from tests.fakes import CHAIN_ID
from tests.onchain.services.additions import (
    Newcomer,
    draft_addition,
    newcomer,
    proven_newcomer,
)
from wallet_site import chain_state
from wallet_site.processes import Program

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

PATIENCE = 30.0  # seconds; a busy machine is no failure
OTHER_LANE = 77  # a nonce key that the site does not use
SENDER = 8  # place of an account that anvil signs for and nothing else here uses


@pytest.fixture
def local(node_url: str) -> LocalChain:
    return chain_state.connect(url=node_url)


@pytest.fixture
def real_world(local: LocalChain, bundler_url: str) -> World:
    """A wallet with 1 ETH and one passkey, live on the real chain."""
    rpc = JsonRpc(url=bundler_url, timeout=django_settings.CLIENT_TIMEOUT)
    return live_world(local, Bundler(rpc))


@pytest.fixture
def own_chain(tmp_path: Path) -> Iterator[LocalChain]:
    """A chain that only this test reorganises."""
    port = chain_state.free_port()
    chain = chain_state.connect(url=f"http://127.0.0.1:{port}")
    program = Program(
        name="chain",
        argv=chain_state.anvil_argv(
            port=port,
            state=tmp_path / "state.json",
            load=chain_state.base_state(report=lambda _line: None),
        ),
        answers=partial(chain_state.answers, chain),
    )
    part = Part(program, django_settings.BASE_DIR)
    part.start()
    try:
        yield chain
    finally:
        part.stop()


def live_world(local: LocalChain, bundler: Bundler | None) -> World:
    chain = chains.connect(node=local.node)
    wallet = make_queued_wallet(chain=chain)
    calls = deploy_calls(
        public_keys=[wallet.owner.public_key],
        setup=bytes(wallet.safe.setup_data),
        salt_nonce=0,
    )
    execute(local, aggregate3_data(calls, allow_failure=False), to=MULTICALL3)
    local.anvil.set_balance(Address(wallet.safe.address), ETHER)
    deployments.mark_deployed(safe=wallet.safe, block_number=local.node.head().number)
    world = World(
        wallet=wallet,
        node=local.node,
        bundler=bundler,
        sponsor_key=django_settings.SPONSOR_PRIVATE_KEY,
    )
    eventually(world, lambda: safe_of(world).owners_synced_block is not None)
    return world


def execute(local: LocalChain, data: bytes, *, to: Address) -> None:
    """Send a transaction that is not the site's."""
    sender = local.anvil.accounts()[SENDER]
    local.anvil.wait([local.anvil.send(sender, to, data)])


def safe_of(world: World) -> Safe:
    return Safe.objects.select_related("chain").get(pk=world.wallet.safe.pk)


def owners_of(world: World) -> list[bytes]:
    return [owner.address for owner in world.wallet.safe.owners.current()]


def eventually(world: World, condition: Callable[[], bool]) -> None:
    """Follow the chain until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("the follower never saw it")
        if not follower.advance(chain=world.chain, node=world.node):
            time.sleep(0.02)


def settled(world: World, op: UserOperation) -> UserOperation:
    """Send a signed operation and return it as the chain left it."""
    op = world.submit(op)
    assert op.status == Status.SUBMITTED, (op.failure_code, op.failure_detail)
    ended = (Status.INCLUDED, Status.REVERTED)
    eventually(world, lambda: world.fresh(op).status in ended)
    return world.fresh(op)


def addition_elsewhere(world: World, new: Newcomer) -> UserOperationV07:
    """Return a signed addition of the passkey that the site knows nothing of."""
    account = Address(world.wallet.safe.address)
    bare = UserOperationV07(
        sender=account,
        nonce=join_nonce(OTHER_LANE, 0),
        factory=None,
        call_data=calls_call_data(
            [
                create_signer_call(public_key=public_key_of(new.credential)),
                add_owner_call(account=account, owner=new.signer, threshold=1),
            ]
        ),
        call_gas_limit=500_000,
        verification_gas_limit=1_000_000,
        pre_verification_gas=60_000,
        max_fee_per_gas=3 * 10**9,
        max_priority_fee_per_gas=10**9,
        paymaster=None,
        signature=b"",
    )
    digest = safe_operation_hash(bare, chain_id=CHAIN_ID, valid_after=0, valid_until=0)
    _credential, signature = passkeys.verified_signature(
        credentials=[world.wallet.credential],
        response=assertion_text(world.wallet.passkey, digest),
        challenge=digest,
    )
    signed = SafeSignature(
        owner=Address(world.wallet.owner.address), signature=signature, is_contract=True
    )
    return replace(
        bare,
        signature=operation_signature(
            valid_after=0, valid_until=0, signatures=[signed]
        ),
    )


@pytest.mark.parametrize("is_sponsored", [True, False], ids=["sponsored", "own fee"])
def test_a_proven_passkey_becomes_an_owner_and_pays_alone(
    real_world: World, is_sponsored: bool, settings: Any
):
    world = real_world
    if not is_sponsored:
        settings.PAYMASTER_ADDRESS = ""
    new = proven_newcomer(world)

    op = settled(world, world.sign(world.prepare(draft_addition(world, new))))

    assert op.status == Status.INCLUDED, op.failure_detail
    assert op.is_sponsored == is_sponsored
    assert owners_of(world) == [
        new.signer,
        world.wallet.credential.owners.get().address,
    ]
    assert safe_of(world).threshold == 1
    assert safe_of(world).owners_synced_block >= op.block_number
    payment = world.sign(world.prepare(world.draft(value_wei=5)), new.passkey)
    before = world.node.balances([PAYEE])[0]
    payment = settled(world, payment)
    assert payment.status == Status.INCLUDED
    assert [item.owner.credential for item in payment.signatures.all()] == [
        new.credential
    ]
    assert world.node.balances([PAYEE]) == [before + 5]


def test_an_owner_that_was_added_elsewhere_appears(
    real_world: World, local: LocalChain
):
    world = real_world
    new = newcomer(world)
    data = handle_ops_data([addition_elsewhere(world, new)], PAYEE)

    execute(local, data, to=ENTRY_POINT)

    eventually(world, lambda: len(owners_of(world)) == 2)
    owner = world.wallet.safe.owners.current().get(address=new.signer)
    assert (owner.kind, owner.credential, owner.position) == ("unknown", None, 0)


def test_a_reorg_takes_an_owner_away_and_brings_it_back(own_chain: LocalChain):
    world = live_world(own_chain, None)
    new = proven_newcomer(world)
    first = owners_of(world)
    data = handle_ops_data([addition_elsewhere(world, new)], PAYEE)
    start = own_chain.node.head().number
    execute(own_chain, data, to=ENTRY_POINT)
    eventually(world, lambda: owners_of(world) == [new.signer, *first])

    depth = own_chain.node.head().number - start
    own_chain.anvil.rpc.call("anvil_reorg", depth, [])
    eventually(world, lambda: owners_of(world) == first)
    execute(own_chain, data, to=ENTRY_POINT)
    eventually(world, lambda: owners_of(world) == [new.signer, *first])

    told = SecurityEvent.objects.filter(kind=SecurityEvent.Kind.OWNER_ADDED)
    assert told.count() == 1
