"""Following a recovery on the real chain, and stopping one with nothing left (R49, R69).

The module is the local stand-in, with its shortest delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as django_settings

from onchain.clients.bundler import Bundler
from onchain.clients.errors import ClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.models import (
    Block,
    Chain,
    Guardian,
    RecoveryRequest,
    RecoverySetup,
    RelayerTransaction,
    Safe,
    Sponsorship,
    UserOperation,
)
from onchain.models.operation_states import Carrier, Status
from onchain.protocol import recovery
from onchain.protocol.types import Address, Call, checksum_address
from onchain.services import follower, recovery_alarms, relayer, relaying
from onchain.services.local_chain import LocalChain
from tests.factories import World
from tests.fake_bundler import FakeBundler
from tests.onchain.services.guarding import cancel
from tests.onchain.services.recoveries import MODULE, NEW_OWNERS
from tests.onchain.services.test_guardians_on_chain import send_as
from tests.onchain.services.test_handing_over import aged
from tests.onchain.services.test_owners_on_chain import (
    eventually,
    live_world,
    local,
    own_chain,
    settled,
)

__all__ = ("local", "own_chain")  # fixtures
pytestmark = [pytest.mark.chain, pytest.mark.django_db]

GUARDIANS = [Address(bytes([0xC1 + place]) * 20) for place in range(3)]


def guard(world: World, chain: LocalChain) -> None:
    """Let the account set up its guardians by itself, on another site as it were."""
    account = Address(world.wallet.safe.address)
    owners = [Address(owner.address) for owner in world.wallet.safe.owners.current()]
    calls = [recovery.enable_module_call(account=account, module=MODULE)]
    for place, guardian in enumerate(GUARDIANS):
        calls.append(
            recovery.add_guardian_call(
                module=MODULE,
                account=account,
                guardian=guardian,
                threshold=min(place + 1, 2),
                owners=owners,
                guardians=GUARDIANS[:place],
            )
        )
    for call in calls:
        send_as(chain, account, call)


def begin(world: World, chain: LocalChain, owners: Sequence[Address]) -> None:
    """Let two guardians begin a recovery."""
    wanted = recovery.Recovery(
        module=MODULE,
        account=Address(world.wallet.safe.address),
        new_owners=owners,
        new_threshold=1,
    )
    for guardian in GUARDIANS[:2]:
        call = recovery.confirm_recovery_call(wanted, execute=guardian == GUARDIANS[1])
        send_as(chain, guardian, call)


def of_account(world: World, chain: LocalChain, call: Call) -> None:
    send_as(chain, Address(world.wallet.safe.address), call)


def rows() -> list[dict[str, Any]]:
    """All that blocks write about recovery, without keys and our own times."""
    requests = RecoveryRequest.objects.order_by("nonce").values(
        *("nonce", "new_owners", "new_threshold", "approvals", "execute_after"),
        *("status", "started_block", "ended_block"),
    )
    return [
        *RecoverySetup.objects.values("module", "is_enabled", "threshold", "nonce"),
        *Guardian.objects.current().values("address", "position", "kind"),
        *requests,
    ]


def statuses() -> list[str]:
    found = RecoveryRequest.objects.order_by("nonce")
    return list(found.values_list("status", flat=True))


def test_reorgs_and_gaps_leave_the_rows_that_a_fresh_index_has(own_chain: LocalChain):
    world = live_world(own_chain, None)
    start = own_chain.node.head().number
    guard(world, own_chain)
    eventually(world, lambda: Guardian.objects.current().count() == 3)
    cancelling = recovery.cancel_recovery_call(module=MODULE)

    # Begun and cancelled while nobody followed.
    begin(world, own_chain, NEW_OWNERS[:1])
    of_account(world, own_chain, cancelling)
    own_chain.anvil.rpc.call("anvil_mine", hex(120))
    eventually(world, lambda: statuses() == ["canceled"])

    # Begun, cancelled, and the cancelling undone: what was stopped waits again.
    begin(world, own_chain, NEW_OWNERS)
    eventually(world, lambda: statuses()[1:] == ["pending"])
    waiting = RecoveryRequest.objects.get(status="pending")
    assert waiting.new_owners == [checksum_address(owner) for owner in NEW_OWNERS]
    before, number = rows(), own_chain.node.head().number
    of_account(world, own_chain, cancelling)
    eventually(world, lambda: statuses()[1:] == ["canceled"])
    depth = own_chain.node.head().number - number
    own_chain.anvil.rpc.call("anvil_reorg", depth, [])
    eventually(world, lambda: rows() == before)
    assert recovery_alarms.alarms_of(world.wallet.user)

    # The beginning undone as well.
    depth = own_chain.node.head().number - waiting.started_block + 1
    own_chain.anvil.rpc.call("anvil_reorg", depth, [])
    eventually(world, lambda: statuses() == ["canceled"])
    begin(world, own_chain, NEW_OWNERS[1:])
    eventually(
        world,
        lambda: (
            statuses() == ["canceled", "pending"]
            and RecoveryRequest.objects.get(status="pending").new_owners is not None
        ),
    )
    after = rows()

    for model in (RecoveryRequest, Guardian, RecoverySetup):
        model.objects.all().delete()
    # The last hash that is kept stands where it was before: everything is read again.
    Block.objects.all().delete()
    header = own_chain.node.headers([start])[0]
    Block.objects.create(
        chain=world.chain, number=start, hash=header.hash, timestamp=header.timestamp
    )
    eventually(world, lambda: rows() == after)


def test_guardians_of_an_account_from_elsewhere_are_found(own_chain: LocalChain):
    world = live_world(own_chain, None)
    guard(world, own_chain)
    begin(world, own_chain, NEW_OWNERS)
    # Nobody followed meanwhile, and those logs are never read.
    chain = Chain.objects.get()
    Block.objects.all().delete()
    Safe.objects.update(owners_synced_block=None)
    assert follower.advance(chain=chain, node=own_chain.node)

    setup = RecoverySetup.objects.get()
    assert (setup.is_enabled, setup.threshold, setup.nonce) == (True, 2, 1)
    assert [row.address for row in setup.guardians.all()] == GUARDIANS[::-1]
    assert setup.pending is not None
    assert setup.pending.new_owner_list == NEW_OWNERS


def carried(world: World, op: UserOperation) -> UserOperation:
    """Let the relayer bring it into a block, past a bundler that never does."""
    account = relayer.account_of(django_settings.RELAYER_PRIVATE_KEY)
    sender = relayer.sender_of(account)
    liar = replace(world, bundler=FakeBundler(), relayer=sender)
    op = liar.submit(aged(liar, liar.submit(op), 31))
    row = RelayerTransaction.objects.get(operation=op)
    assert row.is_safety
    assert op.carrier == Carrier.RELAYER
    relaying.run(chain=liar.chain, node=liar.node, account=account)
    eventually(liar, lambda: liar.fresh(op).status == Status.INCLUDED)
    assert liar.bundler.sent
    return liar.fresh(op)


# R69
@pytest.mark.parametrize("is_carried", [False, True], ids=["bundler", "relayer"])
def test_cancelling_lands_with_everything_else_exhausted_and_no_ether(
    local: LocalChain, bundler_url: str, settings: Any, is_carried: bool
):
    rpc = JsonRpc(url=bundler_url, timeout=django_settings.CLIENT_TIMEOUT)
    world = live_world(local, Bundler(rpc))
    guard(world, local)
    begin(world, local, NEW_OWNERS)
    eventually(world, lambda: RecoveryRequest.objects.filter(status="pending").exists())
    local.anvil.set_balance(Address(world.wallet.safe.address), 0)
    world.wallet.safe.refresh_from_db()
    settings.SPONSOR_DAILY_OPERATIONS = settings.SPONSOR_DAILY_TOTAL = 0
    settings.SPONSOR_DAILY_WEI = settings.SPONSOR_DAILY_TOTAL_WEI = 0
    settings.SPONSOR_OPERATION_WEI = settings.SPONSOR_OPERATION_GAS = 0
    # What the relayer may spend, on deployments and on calls, is used up too (R68).
    settings.DEPLOY_DAILY_WEI = settings.RELAY_DAILY_WEI = 0
    settings.DEPLOY_PREFIX_DAILY = 0
    Chain.objects.update(sponsorship_paused=True, deployments_paused=True)
    payment = world.prepare(world.draft(value_wei=0))
    assert not payment.is_sponsored

    op = world.sign(world.prepare(cancel(world, module=MODULE)))
    op = carried(world, op) if is_carried else settled(world, op)

    assert op.status == Status.INCLUDED, (op.failure_code, op.failure_detail)
    assert Sponsorship.objects.get(operation=op).pool == Sponsorship.Pool.SAFETY
    assert statuses() == ["canceled"]
    request = RecoveryRequest.objects.get()
    assert Chain.objects.get().head_timestamp < request.execute_after
    finish = recovery.finalize_recovery_call(
        module=MODULE, account=Address(world.wallet.safe.address)
    )
    with pytest.raises(ClientError, match="no ongoing recovery"):
        local.node.call(finish.to, finish.data)
    assert not recovery_alarms.alarms_of(world.wallet.user)
    assert UserOperation.objects.get(pk=op.pk).is_sponsored
