"""Guardians and recoveries as the chain has them (R6, R49, R54, R58)."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from onchain.models import (
    Block,
    Guardian,
    KeyProof,
    RecoveryRequest,
    RecoverySetup,
    Safe,
    WalletProof,
)
from onchain.protocol.abi import keccak
from onchain.protocol.types import Address, checksum_address
from onchain.services import chain_events, follower, recovery_sync, reindexing
from tests.factories import World, make_queued_wallet, make_user, make_wallet
from tests.fake_events import Event, word
from tests.fakes import NO_RECOVERY, ORDINARY
from tests.onchain.services.additions import newcomer, prove
from tests.onchain.services.happenings import follow, logs_of
from tests.onchain.services.recoveries import (
    GUARDIANS,
    MODULE,
    NEW_OWNERS,
    FakeModule,
    setup_of,
    told,
)

GUARDIAN = KeyProof.Role.GUARDIAN
ENABLED_MODULE = keccak(b"EnabledModule(address)")
DISABLED_MODULE = keccak(b"DisabledModule(address)")
UNREAD_GUARDIANS = importlib.import_module("onchain.migrations.0036_unread_guardians")


@pytest.fixture
def module(world: World) -> FakeModule:
    """The module of a live account that the follower has read."""
    follow(world)
    return FakeModule(world)


def guarded(module: FakeModule) -> FakeModule:
    """Let two of three guardians protect the account."""
    module.world.node.mine(*module.guard(*GUARDIANS, threshold=2))
    follow(module.world)
    return module


def guardians(world: World) -> list[bytes]:
    return [row.address for row in setup_of(world).guardians.current()]


def asked(world: World) -> list[str]:
    return [call for call in world.node.calls if call.startswith("recovery_records")]


def recovery_rows() -> list[dict[str, Any]]:
    """All that blocks write about recovery, without keys and our own times."""
    setups = RecoverySetup.objects.order_by("pk").values(
        "safe", "module", "is_enabled", "threshold", "nonce", "read_block"
    )
    own = ("setup", "address", "position", "kind", "credential", "holder")
    requests = RecoveryRequest.objects.order_by("nonce").values()
    return [
        *setups,
        *Guardian.objects.current().order_by("address").values(*own),
        *(
            {name: row[name] for name in row if name not in ("id", "seen_at")}
            for row in requests
        ),
    ]


# --- What is read -----------------------------------------------------------------------


def test_guardians_are_read_where_the_module_says_so_and_then_left_alone(
    world: World, module: FakeModule
):
    assert asked(world) == []

    guarded(module)

    setup = setup_of(world)
    assert (setup.is_enabled, setup.threshold, setup.nonce) == (True, 2, 0)
    assert setup.read_block == world.node.blocks[-1].number
    assert guardians(world) == GUARDIANS
    for _ in range(5):
        world.node.mine(touched=[world.wallet.safe.address])
        follow(world)
    assert asked(world) == ["recovery_records 1"]


def test_the_same_events_of_any_other_contract_say_nothing(
    world: World, module: FakeModule
):
    module.module = Address(b"\x99" * 20)
    world.node.mine(*module.guard(*GUARDIANS), module.start())

    follow(world)

    assert asked(world) == []
    assert not RecoverySetup.objects.exists()


def test_a_module_that_the_configuration_names_is_read_without_an_event(world: World):
    module = FakeModule(world)
    module.guard(*GUARDIANS, threshold=3)
    module.start()  # and what waits there is found too
    configured = replace(ORDINARY, modules=[*ORDINARY.modules, MODULE])
    world.node.account_configurations[module.account] = configured

    follow(world)

    assert (guardians(world), setup_of(world).threshold) == (GUARDIANS, 3)
    (request,) = RecoveryRequest.objects.all()
    assert (request.nonce, request.status) == (0, "pending")
    assert request.new_owner_list == NEW_OWNERS


def test_guardians_of_before_recovery_was_followed_are_read_after_an_upgrade(
    world: World, module: FakeModule
):
    safe = world.wallet.safe
    module.guard(*GUARDIANS)  # long ago: no log of that will be read
    configured = replace(ORDINARY, modules=[*ORDINARY.modules, MODULE])
    world.node.account_configurations[module.account] = configured
    world.node.mine()
    follow(world)
    assert not RecoverySetup.objects.exists()

    UNREAD_GUARDIANS.mark(apps, None)

    world.node.mine()
    follow(world)
    assert guardians(world) == GUARDIANS
    safe.refresh_from_db()
    assert safe.owners_synced_block is not None
    # Whoever was read by then is left alone.
    UNREAD_GUARDIANS.mark(apps, None)
    safe.refresh_from_db()
    assert safe.owners_synced_block is not None


@pytest.mark.parametrize("topic", [ENABLED_MODULE, DISABLED_MODULE])
def test_what_an_account_says_of_its_modules_leads_to_a_reading(
    world: World, module: FakeModule, topic: bytes
):
    guarded(module)
    module.restore(replace(module.record, is_enabled=topic == ENABLED_MODULE))
    world.node.mine(Event(address=module.account, topics=(topic, word(MODULE))))

    follow(world)

    assert setup_of(world).is_enabled == (topic == ENABLED_MODULE)
    assert guardians(world) == GUARDIANS


def test_a_revoked_guardian_stays_known_and_comes_back(
    world: World, module: FakeModule
):
    guarded(module)
    world.node.mine(*module.guard(GUARDIANS[2], GUARDIANS[0]))
    follow(world)
    assert guardians(world) == [GUARDIANS[2], GUARDIANS[0]]
    assert setup_of(world).guardians.count() == 3

    world.node.mine(*module.guard(*GUARDIANS))
    follow(world)

    assert guardians(world) == GUARDIANS


def test_what_the_module_does_not_answer_takes_nothing_away(
    world: World, module: FakeModule
):
    guarded(module)
    world.node.mine(module.start())
    follow(world)
    silent = replace(
        NO_RECOVERY, guardians=None, threshold=None, nonce=None, tells_request=False
    )
    module.restore(silent)
    recovery_sync.read_again(safe=world.wallet.safe)
    world.node.mine()

    follow(world)

    setup = setup_of(world)
    assert (guardians(world), setup.threshold) == (GUARDIANS, 2)
    assert setup.pending is not None


def test_what_one_pass_asks_is_bounded_and_everybody_has_a_turn(
    world: World, module: FakeModule
):
    wallets = [make_wallet() for _ in range(60)]
    for wallet in wallets:
        RecoverySetup.objects.create(safe=wallet.safe, module=MODULE)
    unread = RecoverySetup.objects.filter(read_block__isnull=True)
    for _ in range(30):
        busy = module.guard(*GUARDIANS)
        module.restore(NO_RECOVERY)
        world.node.mine(*busy)
        follow(world)

    assert not unread.exists()
    assert max(int(call.split()[1]) for call in asked(world)) == 25


def test_a_block_costs_as_much_with_many_set_ups_as_with_one(
    world: World, module: FakeModule
):
    guarded(module)

    def cost() -> int:
        world.node.mine(touched=[world.wallet.safe.address])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            follower.advance(chain=world.chain, node=world.node)
        return len(queries)

    before = cost()
    for _ in range(40):
        RecoverySetup.objects.create(
            safe=make_wallet().safe, module=MODULE, read_block=1
        )
    Safe.objects.update(owners_synced_block=1, synced_at_block=1)

    assert cost() == before


# --- Whose they are ---------------------------------------------------------------------


def test_a_passkey_is_linked_where_it_was_proven_as_a_guardian_of_this_account(
    world: World, module: FakeModule
):
    friend = newcomer(world, user=make_user(name="Ann"))
    as_owner = newcomer(world, user=make_user(name="Ben"))
    elsewhere = newcomer(world, user=make_user(name="Cleo"))
    forged = newcomer(world, user=make_user(name="Dan"))
    other = make_queued_wallet().safe
    for new, safe, role in (
        (friend, world.wallet.safe, GUARDIAN),
        (as_owner, world.wallet.safe, KeyProof.Role.OWNER),
        (elsewhere, other, GUARDIAN),
        (forged, world.wallet.safe, GUARDIAN),
    ):
        proof = prove(world, new, safe=safe)
        KeyProof.objects.filter(pk=proof.pk).update(role=role)
    # Somebody wrote another signer into the row of a proof.
    KeyProof.objects.filter(credential=forged.credential).update(signer=GUARDIANS[0])
    signers = [friend.signer, as_owner.signer, elsewhere.signer, GUARDIANS[0]]

    world.node.mine(*module.guard(*signers))
    follow(world)

    rows = setup_of(world).guardians.current()
    assert [(row.person, row.kind) for row in rows] == [
        (friend.credential.user, "passkey"),
        *[(None, "unknown")] * 3,
    ]


def test_a_key_that_is_proven_later_is_linked_when_it_is_read_again(
    world: World, module: FakeModule
):
    guarded(module)
    holder = make_user(name="Ann")
    WalletProof.objects.create(
        user=holder,
        safe=world.wallet.safe,
        role=GUARDIAN,
        address=GUARDIANS[1],
        nonce=b"\x01" * 32,
        text="as a guardian",
        signature=b"\x01",
        status=WalletProof.Status.PROVEN,
        expires_at="2030-01-01T00:00Z",
        signed_at="2029-01-01T00:00Z",
    )
    recovery_sync.read_again(safe=world.wallet.safe)
    world.node.mine()

    follow(world)

    row = Guardian.objects.get(address=GUARDIANS[1])
    assert (row.person, row.kind) == (holder, "contract")
    assert list(Guardian.objects.of(holder)) == [row]


# --- Requests ---------------------------------------------------------------------------


def test_a_request_is_pending_and_its_new_owners_are_read(
    world: World, module: FakeModule
):
    guarded(module)
    block = world.node.mine(module.start())

    follow(world)

    setup = setup_of(world)
    request = setup.pending
    assert request is not None
    assert request.new_owners == [checksum_address(owner) for owner in NEW_OWNERS]
    assert (request.approvals, request.new_threshold) == (2, 1)
    assert request.execute_after == module.record.request.execute_after
    assert told(world) == [(0, "pending", block.number, None)]
    assert setup.nonce == 1


def test_every_end_is_told(world: World, module: FakeModule):
    guarded(module)
    happenings = [
        module.start,
        module.cancel,
        module.invalidate,
        module.start,
        lambda: module.start([NEW_OWNERS[1]], approvals=3),
        module.finalize,
    ]
    numbers = []
    for happen in happenings:
        numbers.append(world.node.mine(happen()).number)
        follow(world)

    first, canceled, _skipped, second, third, finalized = numbers
    assert told(world) == [
        (0, "canceled", first, canceled),
        (2, "replaced", second, third),
        (3, "finalized", third, finalized),
    ]


def test_an_invalidated_nonce_ends_no_request(world: World, module: FakeModule):
    guarded(module)
    world.node.mine(module.start(), module.invalidate(), module.invalidate())
    follow(world)
    assert [row[1] for row in told(world)] == ["pending"]

    world.node.mine(module.cancel())
    follow(world)

    assert [row[1] for row in told(world)] == ["canceled"]


def test_one_that_began_and_ended_inside_a_gap_is_told(
    world: World, module: FakeModule
):
    guarded(module)
    started = world.node.mine(module.start())
    ended = world.node.mine(module.cancel())
    for _ in range(120):
        world.node.mine()
    waits = world.node.mine(module.start([NEW_OWNERS[0]]))
    world.node.calls.clear()

    follow(world)

    assert told(world) == [
        (0, "canceled", started.number, ended.number),
        (1, "pending", waits.number, None),
    ]
    assert asked(world) == ["recovery_records 1"]  # at the head alone


def test_the_same_logs_again_change_nothing(world: World, module: FakeModule):
    guarded(module)
    events = [
        module.start(),
        module.cancel(),
        module.start(),
        module.start(approvals=3),
        module.finalize(),
        module.start(),
    ]
    block = world.node.mine(*events)
    follow(world)
    before = recovery_rows()
    assert [row[1] for row in told(world)] == [
        "canceled",
        "replaced",
        "finalized",
        "pending",
    ]

    logs = logs_of(*events, block=block.number)
    for again in (logs, logs, list(reversed(logs))):
        chain_events.apply_logs(
            chain=world.chain, logs=again, at={block.number: block.timestamp}
        )

    assert recovery_rows() == before


def test_logs_that_come_late_find_their_place(world: World, module: FakeModule):
    """As when an operator reads again what was before the site knew the account."""
    guarded(module)
    history = [module.start(), module.cancel(), module.start(), module.start()]
    blocks = [world.node.mine(event) for event in history]
    node_logs, world.node.logs = world.node.logs, []
    configured = replace(ORDINARY, modules=[*ORDINARY.modules, MODULE])
    world.node.account_configurations[module.account] = configured
    Safe.objects.update(owners_synced_block=None)
    follow(world)
    found = world.node.blocks[-1].number
    assert told(world) == [(2, "pending", found, None)]

    world.node.logs = node_logs
    report = reindexing.reindex(
        safe=world.wallet.safe, node=world.node, first=blocks[0].number
    )

    first, canceled, second, third = (block.number for block in blocks)
    assert told(world) == [
        (0, "canceled", first, canceled),
        (1, "replaced", second, third),
        (2, "pending", third, None),
    ]
    assert len(report.changes) == 2
    assert setup_of(world).read_block is None


@pytest.mark.parametrize("is_done", [True, False], ids=["finalized", "canceled"])
def test_one_that_is_gone_without_a_log_ends(
    world: World, module: FakeModule, is_done: bool
):
    guarded(module)
    world.node.mine(module.start())
    follow(world)
    if is_done:
        module.finalize()
    else:
        module.cancel()
    recovery_sync.read_again(safe=world.wallet.safe)
    Safe.objects.update(owners_synced_block=None)
    world.node.mine()

    follow(world)

    assert [row[1] for row in told(world)] == ["finalized" if is_done else "canceled"]


def test_a_log_that_no_column_holds_stops_nobody(world: World, module: FakeModule):
    guarded(module)
    event = module.start()
    odd = [
        replace(event, data=b"\xff" * 128),
        replace(event, data=b"\xff"),
        replace(event, topics=event.topics[:2]),
    ]
    for each in odd:
        world.node.mine(each)

    follow(world)

    assert world.chain.head_number == world.node.blocks[-1].number


# --- Reorgs (R49) -----------------------------------------------------------------------


def test_a_reorg_leaves_the_rows_that_a_fresh_index_has(
    world: World, module: FakeModule
):
    guarded(module)
    world.node.mine(module.start())
    follow(world)
    before, rows = module.record, recovery_rows()
    for lost in (
        [module.cancel],
        [module.finalize],
        [lambda: module.start(approvals=3)],
        [module.cancel, module.invalidate, module.start],
        [lambda: module.guard(GUARDIANS[0])[0]],
    ):
        owners = world.node.account_owners[module.account]
        for happen in lost:
            world.node.mine(happen())
            follow(world)
        assert recovery_rows() != rows

        world.node.reorganise(len(lost))
        module.restore(before)
        world.node.account_owners[module.account] = owners
        for _ in range(len(lost) + 1):
            world.node.mine()
        follow(world)

        after = recovery_rows()
        assert [row for row in after if "status" in row] == [
            row for row in rows if "status" in row
        ]
        assert guardians(world) == GUARDIANS

    RecoveryRequest.objects.all().delete()
    Guardian.objects.all().delete()
    RecoverySetup.objects.all().delete()
    Block.objects.filter(number__gt=100).delete()
    follow(world)
    fresh = recovery_rows()
    for row in (*after, *fresh):
        row.pop("read_block", None)  # when it was last looked at
        row.pop("setup", None), row.pop("setup_id", None)
    assert fresh == after


def test_a_reorg_that_begins_another_request_tells_of_that_one(
    world: World, module: FakeModule
):
    guarded(module)
    before = module.record
    world.node.mine(module.start())
    follow(world)

    world.node.reorganise(1)
    module.restore(before)
    world.node.mine()
    block = world.node.mine(module.start([NEW_OWNERS[1]]))
    follow(world)

    assert told(world) == [(0, "pending", block.number, None)]
    assert setup_of(world).pending.new_owner_list == [NEW_OWNERS[1]]


# --- Who hears of it (R58) --------------------------------------------------------------


def heard(user: Any) -> list[str]:
    events = user.security_events.filter(kind="guardians-changed")
    return [event.detail for event in events.order_by("pk")]


def test_owners_and_guardians_hear_what_changed_once_for_each_reading(
    world: World, module: FakeModule
):
    owner, friend = world.wallet.user, make_user(name="Ann")
    new = newcomer(world, user=friend)
    proof = prove(world, new)
    KeyProof.objects.filter(pk=proof.pk).update(role=GUARDIAN)
    name = world.wallet.safe.name
    world.node.mine(*module.guard(new.signer, *GUARDIANS, threshold=2))
    follow(world)
    begun = "4 guardians came. 2 of 4 can recover it now, after 3 minutes."
    assert heard(owner) == [f"{name}: {begun}"]
    assert heard(friend) == [f"You guard {name}: {begun}"]

    recovery_sync.read_again(safe=world.wallet.safe)
    world.node.mine(module.start())
    follow(world)
    assert len(heard(owner)) == 1

    world.node.mine(*module.guard(*GUARDIANS[:2], threshold=1))
    follow(world)
    module.restore(replace(module.record, is_enabled=False))
    event = Event(address=module.account, topics=(DISABLED_MODULE, word(MODULE)))
    world.node.mine(event)
    follow(world)
    assert heard(owner)[1:] == [
        f"{name}: 2 went. 1 of 2 can recover it now, after 3 minutes.",
        f"{name}: Guardians can no longer recover it.",
    ]
    assert len(heard(friend)) == 2
    assert heard(friend)[1].startswith(f"You no longer guard {name}: 2 went.")

    # Whoever is added to a module that the account does not let act can do nothing.
    events = module.guard(*GUARDIANS)
    module.restore(replace(module.record, is_enabled=False))
    world.node.mine(*events)
    follow(world)
    assert len(heard(owner)) == 3
