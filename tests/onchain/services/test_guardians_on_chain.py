"""Every change of guardians with the real contracts and the real bundler (R58, R67).

The module is the local stand-in; its own views are compared with the rows each time.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node_recovery import RecoveryRecord
from onchain.models import RecoverySetup, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol import recovery
from onchain.protocol.deployments import DAY, RECOVERY_MODULES
from onchain.protocol.owner_changes import disable_module_call
from onchain.protocol.types import Address, Call, to_hex
from onchain.services import configurations, gas, recovery_setups
from onchain.services.local_chain import LocalChain
from tests.factories import World
from tests.onchain.services.guarding import (
    add,
    cancel,
    change,
    end,
    prove_guardians,
    revoke,
    set_up,
)
from tests.onchain.services.test_owners_on_chain import (
    eventually,
    live_world,
    settled,
)
from wallet_site import chain_state

pytestmark = [pytest.mark.chain, pytest.mark.django_db]
Kind = UserOperation.Kind
WEEK = RECOVERY_MODULES[7 * DAY]


@pytest.fixture
def local(node_url: str) -> LocalChain:
    return chain_state.connect(url=node_url)


@pytest.fixture
def real_world(local: LocalChain, bundler_url: str) -> World:
    rpc = JsonRpc(url=bundler_url, timeout=django_settings.CLIENT_TIMEOUT)
    world = live_world(local, Bundler(rpc))
    world.wallet.safe.owners.update(proven_at=timezone.now())
    return world


def record(world: World) -> RecoveryRecord:
    """Return what the module itself says, at the newest block."""
    _chain_id, head = world.node.chain_id_and_head()
    pair = (Address(world.wallet.safe.address), WEEK)
    return world.node.recovery_records([pair], head.hash)[0]


def setup_of(world: World) -> RecoverySetup:
    return RecoverySetup.objects.get(safe=world.wallet.safe, module=WEEK)


def carried_out(world: World, op: UserOperation) -> tuple[list[Address], int]:
    """Carry a change out; return the guardians and the threshold that the chain has.

    The rows say the same by then, and whether the module acts and a request waits.
    """
    nonce = record(world).nonce
    op = settled(world, world.sign(world.prepare(op)))
    assert op.status == Status.INCLUDED, (op.failure_code, op.failure_detail)
    eventually(
        world,
        lambda: (
            (setup := recovery_setups.setup_of(safe=op.safe, module=WEEK)) is not None
            and (setup.read_block or 0) >= op.block_number
        ),
    )
    found, setup = record(world), setup_of(world)
    rows = recovery_setups.addresses_of(setup)
    assert (rows, setup.threshold, setup.is_enabled, setup.nonce) == (
        found.guardians,
        found.threshold,
        found.is_enabled,
        found.nonce,
    )
    # Whatever was approved before does not count any more.
    assert found.nonce == nonce + 1
    assert found.request is None
    assert setup.pending is None
    assert op.call_gas_limit < gas.CALL_GAS_CAP
    return rows, found.threshold


def new_guardians(world: World, count: int) -> list[Address]:
    """Return addresses that nobody had before, as those of proven guardians."""
    found = [Address(secrets.token_bytes(20)) for _ in range(count)]
    prove_guardians(world, *found)
    return found


def asked(ask: Any, world: World, **fields: Any) -> UserOperation:
    world.wallet.safe.refresh_from_db()
    op: UserOperation = ask(world, module=WEEK, **fields)
    return op


def send_as(local: LocalChain, sender: Address, call: Call) -> None:
    """Send a call from an address without its key."""
    rpc = local.anvil.rpc
    rpc.call("anvil_impersonateAccount", to_hex(sender))
    local.anvil.set_balance(sender, 10**18)
    fields = {"from": to_hex(sender), "to": to_hex(call.to), "data": to_hex(call.data)}
    local.anvil.wait([rpc.call("eth_sendTransaction", fields)])


def begin_recovery(world: World, local: LocalChain, *guardians: Address) -> None:
    """Let guardians approve new owners, the last one starts the delay."""
    wanted = recovery.Recovery(
        module=WEEK,
        account=Address(world.wallet.safe.address),
        new_owners=[Address(secrets.token_bytes(20))],
        new_threshold=1,
    )
    for guardian in guardians:
        is_last = guardian == guardians[-1]
        call = recovery.confirm_recovery_call(wanted, execute=is_last)
        send_as(local, guardian, call)
    eventually(world, lambda: setup_of(world).pending is not None)
    assert record(world).request is not None


def test_guardians_from_the_first_set_up_to_another_one_later(
    real_world: World, local: LocalChain
):
    world = real_world
    ann, ben, cat, dan, eve = new_guardians(world, 5)

    op = asked(set_up, world, guardians=[ann, ben, cat], threshold=2)
    assert carried_out(world, op) == ([cat, ben, ann], 2)
    assert setup_of(world).is_active
    # The module is no stranger in the account, and its place in the list is known.
    assert configurations.foreign_in(world.wallet.safe) is None

    op = asked(add, world, guardian=dan, threshold=3)
    assert carried_out(world, op) == ([dan, cat, ben, ann], 3)
    op = asked(revoke, world, guardian=ben)
    assert carried_out(world, op) == ([dan, cat, ann], 3)
    op = asked(change, world, threshold=2)
    assert carried_out(world, op) == ([dan, cat, ann], 2)

    begin_recovery(world, local, ann, cat)
    assert carried_out(world, asked(cancel, world)) == ([dan, cat, ann], 2)
    begin_recovery(world, local, dan, ann)
    op = asked(revoke, world, guardian=dan)
    assert op.cancels_recovery
    assert carried_out(world, op) == ([cat, ann], 2)

    assert carried_out(world, asked(end, world)) == ([], 0)
    assert not setup_of(world).is_enabled
    op = asked(set_up, world, guardians=[eve, ann], threshold=1)
    assert carried_out(world, op) == ([ann, eve], 1)


@pytest.mark.thorough
def test_who_stayed_in_a_module_that_was_switched_off_elsewhere_goes_first(
    real_world: World, local: LocalChain
):
    world = real_world
    account = Address(world.wallet.safe.address)
    ann, ben, cat, dan = new_guardians(world, 4)
    op = asked(set_up, world, guardians=[ann, ben], threshold=1)
    carried_out(world, op)
    begin_recovery(world, local, ben)
    # By its owners, on another site, which leaves guardians and request behind.
    previous = asked(end, world)
    UserOperation.objects.filter(pk=previous.pk).update(status=Status.WITHDRAWN)
    disabling = disable_module_call(
        account=account, previous=Address(previous.previous or b""), module=WEEK
    )
    send_as(local, account, disabling)
    eventually(world, lambda: not setup_of(world).is_enabled)
    assert record(world).guardians == [ben, ann]

    op = asked(set_up, world, guardians=[cat, ann, dan], threshold=3)

    assert op.cancels_recovery
    assert carried_out(world, op) == ([dan, ann, cat], 3)


@pytest.mark.thorough
def test_ten_guardians_fit_into_one_operation(real_world: World):
    world = real_world
    everyone = new_guardians(world, 10)

    op = asked(set_up, world, guardians=everyone, threshold=6)

    assert carried_out(world, op) == (everyone[::-1], 6)
    op = asked(end, world)
    assert carried_out(world, op) == ([], 0)
