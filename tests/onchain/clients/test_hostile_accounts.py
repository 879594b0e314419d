"""Accounts whose code is hostile, on a real chain beside one of 500 owners."""

from __future__ import annotations

import time

import pytest

from onchain.clients.node import Node
from onchain.protocol.configuration import Configuration
from onchain.protocol.safe import account_address, deploy_calls, direct_setup
from onchain.protocol.types import Address, checksum_address
from onchain.services.local_chain import LocalChain
from wallet_site import chain_state

pytestmark = pytest.mark.chain

OWNERS = [Address(number.to_bytes(20, "big")) for number in range(1_000, 1_500)]
SENDER = 7  # place of an account that anvil signs for
HOSTILE = {
    "loops for ever": "5b600056",
    "is no instruction": "fe",
    "returns a megabyte": "620f42406000f3",
    "reverts with a megabyte": "620f42406000fd",
    "takes the stack": "5b5b600056",
    "wants more memory than there is": "63ffffffff6000f3",
    "calls itself": "6000600060006000600030" + "5af15b600056",
}
FAIR_SECONDS = 5.0  # for all of them together, on a busy machine


@pytest.fixture
def local(node_url: str) -> LocalChain:
    return chain_state.connect(url=node_url)


def large_account(node: Node) -> Address:
    """Put an account of 500 owners on chain."""
    setup = direct_setup(owners=OWNERS, threshold=3)
    (create,) = deploy_calls(public_keys=[], setup=setup, salt_nonce=0)
    transaction = {
        "from": node.rpc.call("eth_accounts")[SENDER],
        "to": checksum_address(create.to),
        "data": f"0x{create.data.hex()}",
        "gas": hex(2**24),
    }
    node.rpc.call("eth_sendTransaction", transaction)
    address = account_address(setup=setup, salt_nonce=0)
    deadline = time.monotonic() + 10
    while not node.codes([address], "latest")[0]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return address


def test_hostile_accounts_neither_stop_nor_slow_the_others(local: LocalChain):
    large = large_account(local.node)
    hostile = []
    for number, code in enumerate(HOSTILE.values(), 1):
        address = Address((0xBAD0 + number).to_bytes(20, "big"))
        local.anvil.set_code(address, bytes.fromhex(code))
        hostile.append(address)
    asked = [*hostile, large, *hostile]
    _chain_id, head = local.node.chain_id_and_head()

    started = time.monotonic()
    owners = local.node.owners(asked, head.hash)
    configurations = local.node.configurations(asked, head.hash)
    seconds = time.monotonic() - started

    place = len(hostile)
    assert owners[place] is not None
    assert set(owners[place].owners) == set(OWNERS)
    assert owners[place].threshold == 3
    assert isinstance(configurations[place], Configuration)
    assert [each for each in owners if each is not None] == [owners[place]]
    for address in hostile:
        assert local.node.account_record(address).owners is None
    assert seconds < FAIR_SECONDS
