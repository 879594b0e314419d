"""The follower on a real chain of its own: ether, reorgs, forged blocks, other code."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from onchain.clients.anvil import Anvil
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from onchain.errors import ChainNotReady
from onchain.models import Block, Chain, Safe, Transfer
from onchain.models.owner import public_key_of
from onchain.protocol.deployments import CONTRACTS, MULTICALL3
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.safe import account_address, deploy_calls, direct_setup
from onchain.protocol.types import Address
from onchain.services import agreement, chains, deployments, follower, signers
from onchain.services.local_chain import LocalChain
from tests.e2e.outages import Part
from tests.factories import ETHER, Wallet, World, make_credential, make_queued_wallet
from tests.onchain.services.elsewhere import look_up, prove_lookup
from tests.pages import Page
from tests.soft_authenticator import SoftAuthenticator
from tests.stub_rpc import StubRpc
from wallet_site import chain_state
from wallet_site.processes import Program

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

SENDER = 7  # place of an account that anvil signs for
FORGED = 0xF0  # mixed into the hashes of forged blocks


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalChain]:
    """A chain that only this test reorganises, with blocks only when it asks."""
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
        chain.anvil.rpc.call("evm_setIntervalMining", 0)
        yield chain
    finally:
        part.stop()


@pytest.fixture
def chain(local: LocalChain) -> Chain:
    return chains.connect(node=local.node)


@pytest.fixture
def live(local: LocalChain, chain: Chain) -> Safe:
    """An account with code."""
    wallet = make_queued_wallet(chain=chain)
    calls = deploy_calls(
        public_keys=[wallet.owner.public_key],
        setup=bytes(wallet.safe.setup_data),
        salt_nonce=0,
    )
    pay(local, MULTICALL3, data=aggregate3_data(calls, allow_failure=False), value=0)
    deployments.mark_deployed(safe=wallet.safe, block_number=local.node.head().number)
    return wallet.safe


def pay(
    local: LocalChain, to: Address, *, value: int = ETHER // 2, data: bytes = b""
) -> None:
    sender = local.anvil.accounts()[SENDER]
    sent = local.anvil.send(sender, to, data, value)
    mine(local.anvil, 1)
    local.anvil.wait([sent])


def mine(anvil: Anvil, blocks: int) -> None:
    anvil.rpc.call("anvil_mine", hex(blocks))


def follow(chain: Chain, node: Node) -> Chain:
    while follower.advance(chain=chain, node=node):
        pass
    return Chain.objects.get(pk=chain.pk)


def written() -> list[dict[str, Any]]:
    """All that blocks have written, without keys that count insertions."""
    facts = ("address", "status", "balance_wei", "threshold", "deployed_block")
    places = ("number", "hash", "timestamp")
    sent = ("sender", "value_wei", "transaction_hash", "log_index", "block_number")
    return [
        *Safe.objects.order_by("address").values(*facts),
        *Transfer.objects.order_by("block_number", "log_index").values(
            "safe__address", "received_at", *sent
        ),
        *Block.objects.order_by("number").values(*places),
        *Chain.objects.values("head_number", "head_timestamp", "confirmed_timestamp"),
    ]


# R49
def test_after_reorgs_of_depth_1_to_12_rows_equal_those_of_a_fresh_index(
    local: LocalChain, chain: Chain, live: Safe, settings: Any
):
    settings.START_BLOCK = local.node.head().number
    bare = make_queued_wallet(chain=chain, deployment_requested_at=None).safe
    follow(chain, local.node)
    for depth in range(1, 13):
        for block in range(depth):
            pay(local, Address((live, bare)[block % 2].address), value=depth)
        follow(chain, local.node)
        assert Transfer.objects.filter(value_wei=depth).count() == depth

        local.anvil.rpc.call("anvil_reorg", depth, [])
        pay(local, Address(bare.address), value=1_000 + depth)
        follow(chain, local.node)

        assert not Transfer.objects.filter(value_wei=depth).exists()
    after_reorgs = written()

    Block.objects.all().delete()
    Transfer.objects.all().delete()
    Safe.objects.update(balance_wei=0, synced_at_block=None, owners_synced_block=None)
    follow(chain, local.node)

    assert written() == after_reorgs
    assert Transfer.objects.count() == 12


def test_ether_arrives_once_with_code_and_without(local: LocalChain, chain: Chain):
    bare = make_queued_wallet(chain=chain, deployment_requested_at=None).safe
    follow(chain, local.node)
    pay(local, Address(bare.address), value=7)

    follow(chain, local.node)

    bare.refresh_from_db()
    assert bare.balance_wei == 7
    assert [row.log_index for row in Transfer.objects.all()] == [None]


def test_an_account_with_code_tells_of_its_ether_once(
    local: LocalChain, chain: Chain, live: Safe
):
    follow(chain, local.node)
    pay(local, Address(live.address), value=9)

    follow(chain, local.node)

    live.refresh_from_db()
    (transfer,) = Transfer.objects.all()
    assert (transfer.value_wei, live.balance_wei) == (9, 9)
    assert transfer.sender == local.anvil.accounts()[SENDER]
    assert transfer.log_index is not None


# R22
def test_other_code_is_noticed_later_and_forgotten_when_it_is_right_again(
    local: LocalChain, chain: Chain
):
    contract = CONTRACTS[-1]
    (code,) = local.node.codes([contract.address], "latest")
    local.anvil.set_code(contract.address, b"\x60\x80")

    with pytest.raises(ChainNotReady):
        chains.connect(node=local.node)
    assert contract.name in Chain.objects.get().problem

    local.anvil.set_code(contract.address, code)
    chains.connect(node=local.node)
    assert Chain.objects.get().problem == ""


# R48
def test_a_node_that_forges_is_noticed_by_a_second_one(
    local: LocalChain, chain: Chain, live: Safe
):
    rpc = local.node.rpc
    follow(chain, local.node)
    start = chain.head_number
    with StubRpc() as stub:
        forge(stub, rpc, above=start)
        forging = Node(JsonRpc(url=stub.url, timeout=10))
        mine(local.anvil, 4)
        follow(chain, forging)
        agreement.check(chain=chain, second=local.node)
        chain.refresh_from_db()
        assert "different blocks" in chain.problem
        assert not chain.is_confirmed(start + 1)

        forge(stub, rpc, above=10**9)  # it tells the truth again
        mine(local.anvil, 3)
        chain = follow(chain, forging)
        agreement.check(chain=chain, second=local.node)

    chain.refresh_from_db()
    assert chain.problem == ""
    assert chain.is_confirmed(start + 1)


def forge(stub: StubRpc, rpc: JsonRpc, *, above: int) -> None:
    """Pass everything on, with other hashes for the blocks above a height."""

    def changed(text: str) -> str:
        return f"0x{int(text, 16) ^ FORGED:064x}"

    def block(*params: object) -> object:
        answer = rpc.call("eth_getBlockByNumber", *params)
        number = 0 if answer is None else int(answer["number"], 16)
        if number > above:
            answer["hash"] = changed(answer["hash"])
        if number > above + 1:
            answer["parentHash"] = changed(answer["parentHash"])
        return answer

    methods = ("eth_chainId", "eth_getBalance", "eth_getTransactionReceipt", "eth_call")
    stub.answers = {name: partial(rpc.call, name) for name in methods}
    stub.answers["eth_getBlockByNumber"] = block
    stub.answers["eth_getLogs"] = []


def test_a_long_gap_is_caught_up_in_ranges(local: LocalChain, chain: Chain, live: Safe):
    follow(chain, local.node)
    mine(local.anvil, 300)
    pay(local, Address(live.address), value=5)
    passes = 0
    while follower.advance(chain=chain, node=local.node):
        passes += 1

    assert passes == 7  # of 50 blocks at most
    assert Transfer.objects.get().value_wei == 5


def test_an_account_from_elsewhere_goes_with_its_block_and_comes_back(
    local: LocalChain, chain: Chain
):
    passkey = SoftAuthenticator()
    credential = make_credential(passkey)
    key = public_key_of(credential)
    setup = direct_setup(
        owners=[signers.signer_of(public_key=key, chain=chain)], threshold=1
    )
    calls = deploy_calls(public_keys=[key], setup=setup, salt_nonce=77)
    made = {"data": aggregate3_data(calls, allow_failure=False), "value": 0}
    wallet = Wallet(
        passkey=passkey, user=credential.user, credential=credential, safe=Safe()
    )
    world = OnThisChain(wallet=wallet, node=local.node, bundler=None)
    follow(chain, local.node)
    before = local.node.head().number
    pay(local, MULTICALL3, **made)
    follow(chain, local.node)
    lookup = look_up(world, account_address(setup=setup, salt_nonce=77))
    prove_lookup(world, lookup)
    mine(local.anvil, 1)
    follow(chain, local.node)
    safe = Safe.objects.get(pk=lookup.safe_id)
    owner = safe.owners.get()
    assert (safe.is_live, owner.credential) == (True, credential)

    local.anvil.rpc.call("anvil_reorg", local.node.head().number - before, [])
    follow(chain, local.node)

    safe.refresh_from_db()
    assert (safe.is_gone, safe.deployed_block) == (True, None)
    words = overview(safe, credential.user)
    assert "Not on the chain" in words
    assert "Send nothing to its address" in words
    deployments.look_for_gone(chain=world.chain, node=local.node)
    safe.refresh_from_db()
    assert safe.is_gone

    pay(local, MULTICALL3, **made)
    follow(chain, local.node)

    safe.refresh_from_db()
    assert (safe.is_live, safe.deployed_block) == (True, local.node.head().number)
    mine(local.anvil, 1)  # who owns it is read with the next block
    follow(chain, local.node)
    safe.refresh_from_db()
    assert safe.owners_synced_block == local.node.head().number
    assert "Not on the chain" not in overview(safe, credential.user)
    owner.refresh_from_db()
    assert (owner.is_current, owner.credential) == (True, credential)


class OnThisChain(World):
    """A world whose person has no account yet."""

    @property
    def chain(self) -> Chain:
        """The chain's row as it is now."""
        return Chain.objects.get()


def overview(safe: Safe, user: User) -> str:
    client = Client()
    client.force_login(user)
    named = [safe.chain.chain_id, safe.address_text]
    return Page(client.get(reverse("onchain:safe-overview", args=named))).words
