"""Every change of an account with the real contracts and the real bundler (R67)."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from onchain.change_errors import AccountBlocked
from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.models import ForeignConfiguration, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.abi import call_data
from onchain.protocol.allowances import ETHER, allowance_data, tokens_data
from onchain.protocol.configuration import GUARD_SLOT
from onchain.protocol.types import Address, to_hex
from onchain.services import barriers, configurations, new_owners
from onchain.services.local_chain import LocalChain
from tests.factories import World
from tests.onchain.services import allowances
from tests.onchain.services.additions import draft_addition, proven_newcomer
from tests.onchain.services.changes import (
    add_wallet,
    change_threshold,
    prove_wallet,
    remove,
    remove_foreign,
    swap,
)
from tests.onchain.services.test_owners_on_chain import (
    eventually,
    live_world,
    safe_of,
    settled,
)
from tests.soft_authenticator import SoftAuthenticator
from wallet_site import chain_state

pytestmark = [pytest.mark.chain, pytest.mark.django_db]
Kind = UserOperation.Kind


@pytest.fixture
def local(node_url: str) -> LocalChain:
    return chain_state.connect(url=node_url)


@pytest.fixture
def real_world(local: LocalChain, bundler_url: str) -> World:
    rpc = JsonRpc(url=bundler_url, timeout=django_settings.CLIENT_TIMEOUT)
    world = live_world(local, Bundler(rpc))
    world.wallet.safe.owners.update(proven_at=timezone.now())
    return world


def account_of(world: World) -> Address:
    return Address(world.wallet.safe.address)


def carried_out(
    world: World, op: UserOperation, passkey: SoftAuthenticator | None = None
) -> tuple[list[bytes], int]:
    """Carry a change out; return the owners and the threshold that the chain has."""
    op = settled(world, world.sign(world.prepare(op), passkey))
    assert op.status == Status.INCLUDED, (op.failure_code, op.failure_detail)
    eventually(world, lambda: safe_of(world).owners_synced_block >= op.block_number)
    world.wallet.safe.refresh_from_db()
    found = world.node.account_record(account_of(world)).owners
    rows = [bytes(row.address) for row in world.wallet.safe.owners.current()]
    assert (rows, world.wallet.safe.threshold) == (
        [bytes(owner) for owner in found.owners],
        found.threshold,
    )
    return rows, found.threshold


def owner_at(world: World, place: int) -> Any:
    return world.wallet.safe.owners.current().get(position=place)


def proven_wallet(world: World) -> Address:
    """Return an address that nobody had before, as one that signed for the account."""
    address = Address(secrets.token_bytes(20))
    prove_wallet(world, address)
    return address


def test_owners_are_added_replaced_at_each_place_removed_and_more_must_approve(
    real_world: World,
):
    world = real_world
    first = bytes(world.wallet.owner.address)
    heir, second = proven_newcomer(world), proven_newcomer(world)
    wallet, head, middle = (proven_wallet(world) for _ in range(3))

    assert carried_out(world, draft_addition(world, second)) == (
        [second.signer, first],
        1,
    )
    found = carried_out(world, add_wallet(world, address=wallet))
    assert found == ([wallet, second.signer, first], 1)
    for place, new in ((0, head), (1, middle)):
        op = swap(world, owner_at(world, place), new_owners.wallet(address=new))
        owners, _threshold = carried_out(world, op)
        assert owners[place] == new
    tail = new_owners.own_passkey(safe=world.wallet.safe, credential=heir.credential)
    found = carried_out(world, swap(world, owner_at(world, 2), tail))
    assert found == ([head, middle, heir.signer], 1)
    found = carried_out(world, remove(world, owner_at(world, 1)), heir.passkey)
    assert found == ([head, heir.signer], 1)
    found = carried_out(world, change_threshold(world, 2), heir.passkey)
    assert found == ([head, heir.signer], 2)


def as_account(
    world: World, local: LocalChain, data: bytes, to: Address | None = None
) -> None:
    """Let the account call itself, or another contract, without its owners."""
    account = account_of(world)
    rpc = local.anvil.rpc
    rpc.call("anvil_impersonateAccount", to_hex(account))
    fields = {
        "from": to_hex(account),
        "to": to_hex(to or account),
        "data": to_hex(data),
    }
    local.anvil.wait([rpc.call("eth_sendTransaction", fields)])


def test_foreign_modules_are_disabled_at_either_end_of_the_list(
    real_world: World, local: LocalChain
):
    world = real_world
    account = account_of(world)
    modules = [Address(secrets.token_bytes(20)) for _ in range(2)]
    for module in modules:
        as_account(world, local, call_data("enableModule(address)", module))
    eventually(
        world,
        lambda: (
            (found := configurations.foreign_in(world.wallet.safe)) is not None
            and len(found.items) == 2
        ),
    )

    for module in modules:  # the last of the list, then the first
        carried_out(world, remove_foreign(world, Kind.DISABLE_MODULE, module))

    assert configurations.foreign_in(world.wallet.safe) is None
    assert world.node.account_record(account).configuration.foreign == []


# Says that it is a guard (ERC-165), and refuses everything that it is asked about.
FORBIDS_EVERYTHING = "60003560e01c6301ffc9a714601357600080fd5b600160005260206000f3"
ONLY_OWNERS = (
    django_settings.BASE_DIR / "devchain/node_modules/@safe-global/safe-contracts/build"
    "/artifacts/contracts/examples/guards/OnlyOwnersGuard.sol/OnlyOwnersGuard.json"
)


@pytest.mark.parametrize("guard", ["only owners", "forbids everything"])
def test_a_guard_cannot_forbid_its_own_removal(
    real_world: World, local: LocalChain, guard: str
):
    world = real_world
    account, address = account_of(world), Address(secrets.token_bytes(20))
    code = FORBIDS_EVERYTHING
    if guard == "only owners":
        code = json.loads(ONLY_OWNERS.read_text())["deployedBytecode"][2:]
    local.anvil.set_code(address, bytes.fromhex(code))
    as_account(world, local, call_data("setGuard(address)", address))
    eventually(world, lambda: configurations.foreign_in(world.wallet.safe) is not None)
    found = configurations.foreign_in(world.wallet.safe)
    assert found.items == [("guard", address)]
    assert guard_slot(world) == address.rjust(32, b"\0")

    carried_out(world, remove_foreign(world, Kind.REMOVE_GUARD, address))

    assert guard_slot(world) == bytes(32)
    assert configurations.foreign_in(world.wallet.safe) is None
    assert world.node.account_record(account).configuration.foreign == []


def guard_slot(world: World) -> bytes:
    place = (to_hex(account_of(world)), hex(GUARD_SLOT), "latest")
    return bytes.fromhex(world.node.rpc.call("eth_getStorageAt", *place)[2:])


@pytest.mark.thorough
def test_allowances_are_read_one_by_one_and_end_with_their_module(
    real_world: World, local: LocalChain
):
    world = real_world
    account, safe = account_of(world), world.wallet.safe
    once, token = allowances.ONCE, allowances.TOKEN
    daily = replace(once, token=token, amount=2**96 - 1, spent=0, reset_minutes=1_440)
    gone = replace(once, token=Address(b"\x71" * 20), amount=0)
    tokens = {once.delegate: [ETHER, token, gone.token]}
    given = [once, daily, gone]
    allowances.fill_in(
        local, account, delegates=[once.delegate], tokens=tokens, amounts=given
    )
    as_account(world, local, call_data("enableModule(address)", once.module))

    eventually(world, lambda: configurations.foreign_in(safe) is not None)

    assert spending(world) == (["5", str(2**96 - 1)], True)
    # It was used, which only the module says.
    allowances.fill_in(
        local, account, delegates=[], tokens={}, amounts=[replace(once, amount=9)]
    )
    allowances.fill_in(local, account, delegates=[once.delegate], tokens={}, amounts=())
    as_account(world, local, b"spent", to=once.module)
    eventually(world, lambda: spending(world)[0][0] == "9")
    removal = remove_foreign(world, Kind.DISABLE_MODULE, once.module)
    carried_out(world, removal)
    assert configurations.foreign_in(safe) is None


@pytest.mark.thorough
def test_more_allowances_than_can_be_read_are_said_and_hold_nobody_up(
    real_world: World, local: LocalChain
):
    world = real_world
    account, once = account_of(world), allowances.ONCE
    endless, other = Address(b"\x01" * 20), Address(b"\x02" * 20)
    tokens = [Address(number.to_bytes(20, "big")) for number in range(100, 160)]
    allowances.fill_in(
        local,
        account,
        delegates=[endless, other],
        tokens={other: tokens},
        amounts=[replace(once, delegate=other, token=token) for token in tokens],
    )
    allowances.never_answer(local, tokens_data(account, endless))
    allowances.never_answer(local, allowance_data(account, other, tokens[0]))
    as_account(world, local, call_data("enableModule(address)", once.module))

    eventually(world, lambda: configurations.foreign_in(world.wallet.safe) is not None)

    assert spending(world) == (["5"] * 49, False)


def spending(world: World) -> tuple[list[str], bool]:
    """Return the amounts that others may spend, and whether these are all."""
    row = ForeignConfiguration.objects.get(safe=world.wallet.safe)
    return [each["amount"] for each in row.allowances], row.has_all_allowances


def test_a_foreign_fallback_handler_stops_all_until_the_account_puts_it_back(
    real_world: World, local: LocalChain
):
    world = real_world
    safe = world.wallet.safe
    drafted = world.draft(value_wei=5)
    handler = Address(secrets.token_bytes(20))
    as_account(world, local, call_data("setFallbackHandler(address)", handler))
    eventually(world, lambda: barriers.stand_in_way(safe))

    assert world.prepare(drafted).failure_code == "account-blocked"
    with pytest.raises(AccountBlocked):
        world.draft(value_wei=6)
    (barrier,) = barriers.in_way(configurations.foreign_in(safe), safe=safe)
    as_account(world, local, barrier.call.data, to=barrier.call.to)

    eventually(world, lambda: not barriers.stand_in_way(safe))
    op = settled(world, world.sign(world.prepare(world.draft(value_wei=7))))
    assert op.status == Status.INCLUDED, op.failure_detail
