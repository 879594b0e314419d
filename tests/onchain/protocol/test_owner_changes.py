"""Changes of owners, modules, guard and handler, against two other implementations."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safe_eth.eth.contracts import get_safe_V1_4_1_contract
from web3 import Web3

from onchain.protocol.deployments import SAFE_4337_MODULE
from onchain.protocol.errors import EncodingError
from onchain.protocol.owner_changes import (
    change_threshold_call,
    disable_module_call,
    previous_of,
    remove_guard_call,
    remove_owner_call,
    require_threshold,
    swap_owner_call,
)
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Call,
    checksum_address,
    to_hex,
)
from tests.onchain.protocol.conftest import ROOT

ACCOUNT = Address(b"\xac" * 20)
FIRST, MIDDLE, LAST = (Address(bytes([i]) * 20) for i in (0x0A, 0x0B, 0x0C))
OWNERS = [FIRST, MIDDLE, LAST]
NEW = Address(b"\x0d" * 20)
SAFE = get_safe_V1_4_1_contract(Web3(), checksum_address(ACCOUNT))


def expected(function: str, *values: object) -> Call:
    """Return the call as safe-eth-py encodes it."""
    texts = [
        checksum_address(Address(v)) if isinstance(v, bytes) else v for v in values
    ]
    data = SAFE.encode_abi(function, texts)
    return Call(to=ACCOUNT, value_wei=0, data=bytes.fromhex(data[2:]))


def swap(previous: Address, removed: Address, new: Address) -> Call:
    return swap_owner_call(account=ACCOUNT, previous=previous, removed=removed, new=new)


def remove(previous: Address, removed: Address, threshold: int = 1) -> Call:
    return remove_owner_call(
        account=ACCOUNT, previous=previous, removed=removed, threshold=threshold
    )


def disable(previous: Address, module: Address) -> Call:
    return disable_module_call(account=ACCOUNT, previous=previous, module=module)


@pytest.mark.parametrize(
    ("owner", "previous"),
    [(FIRST, SENTINEL_ADDRESS), (MIDDLE, FIRST), (LAST, MIDDLE)],
    ids=["head", "middle", "tail"],
)
def test_the_one_before_is_found_and_named_in_each_change(
    owner: Address, previous: Address
):
    found = previous_of(owner, OWNERS)

    assert found == previous
    assert swap(found, owner, NEW) == expected("swapOwner", previous, owner, NEW)
    assert remove(found, owner, 2) == expected("removeOwner", previous, owner, 2)
    assert disable(found, owner) == expected("disableModule", previous, owner)


addresses = st.binary(min_size=20, max_size=20).filter(
    lambda value: value not in {ZERO_ADDRESS, SENTINEL_ADDRESS, ACCOUNT, NEW}
)


@given(st.data(), st.lists(addresses, min_size=1, max_size=8, unique=True))
def test_taking_out_what_follows_the_one_before_leaves_the_others_in_order(
    data: st.DataObject, members: list[Address]
):
    member = data.draw(st.sampled_from(members))

    ring = [SENTINEL_ADDRESS, *members, SENTINEL_ADDRESS]
    links = dict(zip(ring[:-1], ring[1:], strict=True))
    previous = previous_of(member, members)
    assert links[previous] == member  # what the Safe requires
    links[previous] = links.pop(member)

    left, at = [], links[SENTINEL_ADDRESS]
    while at != SENTINEL_ADDRESS:
        left.append(at)
        at = links[at]
    assert left == [other for other in members if other != member]


def test_who_is_in_no_list_stands_behind_nobody():
    with pytest.raises(EncodingError, match="not in the list"):
        previous_of(NEW, OWNERS)
    with pytest.raises(EncodingError, match="twice"):
        previous_of(FIRST, [FIRST, LAST, FIRST])


@pytest.mark.parametrize("threshold", [1, 2, 2**256 - 1])
def test_a_threshold_is_set_as_safe_eth_py_sets_it(threshold: int):
    call = change_threshold_call(account=ACCOUNT, threshold=threshold)

    assert call == expected("changeThreshold", threshold)


def test_the_guard_is_taken_away():
    assert remove_guard_call(account=ACCOUNT) == expected("setGuard", ZERO_ADDRESS)


REFUSED: dict[str, Callable[[], object]] = {
    "swap to nobody": lambda: swap(FIRST, MIDDLE, ZERO_ADDRESS),
    "swap to the sentinel": lambda: swap(FIRST, MIDDLE, SENTINEL_ADDRESS),
    "swap to the account": lambda: swap(FIRST, MIDDLE, ACCOUNT),
    "swap to the same": lambda: swap(FIRST, MIDDLE, MIDDLE),
    "swap to the one before": lambda: swap(FIRST, MIDDLE, FIRST),
    "swap the sentinel": lambda: swap(FIRST, SENTINEL_ADDRESS, NEW),
    "swap nobody": lambda: swap(FIRST, ZERO_ADDRESS, NEW),
    "swap after itself": lambda: swap(MIDDLE, MIDDLE, NEW),
    "swap after nobody": lambda: swap(ZERO_ADDRESS, MIDDLE, NEW),
    "swap half an address": lambda: swap(FIRST, MIDDLE, Address(NEW[:10])),
    "remove the sentinel": lambda: remove(FIRST, SENTINEL_ADDRESS),
    "remove nobody": lambda: remove(FIRST, ZERO_ADDRESS),
    "remove the account": lambda: remove(FIRST, ACCOUNT),
    "remove after itself": lambda: remove(MIDDLE, MIDDLE),
    "remove to nobody": lambda: remove(FIRST, MIDDLE, 0),
    "remove to too many": lambda: remove(FIRST, MIDDLE, 2**256),
    "threshold of nobody": lambda: change_threshold_call(account=ACCOUNT, threshold=0),
    "threshold below": lambda: change_threshold_call(account=ACCOUNT, threshold=-1),
    "disable the sentinel": lambda: disable(FIRST, SENTINEL_ADDRESS),
    "disable nobody": lambda: disable(FIRST, ZERO_ADDRESS),
    "disable the passkeys' module": lambda: disable(FIRST, SAFE_4337_MODULE),
    "more than the owners": lambda: require_threshold(4, owner_count=3),
    "none of the owners": lambda: require_threshold(0, owner_count=3),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_a_safe_refuses_has_no_encoding(name: str):
    with pytest.raises(EncodingError):
        REFUSED[name]()


def test_a_threshold_that_the_owners_reach_is_kept():
    assert require_threshold(3, owner_count=3) == 3


# --- AbstractionKit 0.2.41 ----------------------------------------------------------------

# It asks the chain for what it needs; nothing answers there, so it has what it is given.
SCRIPT = """
const { SafeAccountV0_3_0: SafeAccount } = require("abstractionkit");
const { account, first, middle, added, nowhere } = JSON.parse(process.argv[1]);
const safe = new SafeAccount(account);
const before = { prevOwner: first };
const passkey = { x: 1n, y: 2n };
const failed = (promise) => promise.then(() => "", (error) => error.message);
(async () => console.log(JSON.stringify({
  swap: safe.createStandardSwapOwnerMetaTransaction(added, middle, first).data,
  remove: (await safe.createRemoveOwnerMetaTransaction(nowhere, middle, 2, before)).data,
  threshold: safe.createChangeThresholdMetaTransaction(2).data,
  withoutPrevious: await failed(
    safe.createRemoveOwnerMetaTransaction(nowhere, passkey, 1)),
})))();
"""


def test_the_calls_are_those_of_abstractionkit_once_it_is_told_who_stands_before():
    node = shutil.which("node")
    assert node, "Node 20 or newer is needed"
    fields = {"account": ACCOUNT, "first": FIRST, "middle": MIDDLE, "added": NEW}
    texts = {name: to_hex(value) for name, value in fields.items()}

    run = subprocess.run(
        [node, "-e", SCRIPT, json.dumps(texts | {"nowhere": "http://127.0.0.1:9"})],
        cwd=ROOT / "devchain",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    theirs = json.loads(run.stdout)
    assert theirs["swap"] == to_hex(swap(FIRST, MIDDLE, NEW).data)
    assert theirs["remove"] == to_hex(remove(FIRST, MIDDLE, 2).data)
    ours = change_threshold_call(account=ACCOUNT, threshold=2)
    assert theirs["threshold"] == to_hex(ours.data)
    # Of a passkey it does not find the place itself.
    assert theirs["withoutPrevious"] != ""
