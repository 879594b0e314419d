"""What a block does to rows. Only the EntryPoint's logs count (R46)."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connections, transaction

from onchain.clients.node_types import Receipt
from onchain.models import RelayerTransaction, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.services import inclusion
from tests.factories import (
    World,
    make_queued_wallet,
    make_relayer_transaction,
    make_wallet,
)
from tests.fake_events import (
    Event,
    outcome_event,
    proxy_creation_event,
)
from tests.onchain.services.happenings import (
    BLOCK,
    deployment,
    happen,
    logs_of,
    outcome,
    reason,
    rows,
    two_versions,
)

CARRIED_OUT = (Status.INCLUDED, Status.REVERTED)


# --- Outcomes ---------------------------------------------------------------------------


def test_an_event_includes_the_operation(world: World):
    op = world.submit()

    happen(world, outcome(op, cost_wei=5, gas_used=3))

    op = world.fresh(op)
    assert op.status == Status.INCLUDED
    assert (op.block_number, op.transaction_hash) == (BLOCK, b"\x77" * 32)
    assert (op.actual_gas_cost_wei, op.actual_gas_used) == (5, 3)
    assert op.included_at is not None


def test_an_event_of_failure_reverts_the_operation_with_its_reason(world: World):
    op = world.submit()

    happen(world, reason(op, "GS013"), outcome(op, succeeded=False))

    op = world.fresh(op)
    assert (op.status, op.failure_code) == (Status.REVERTED, "execution-reverted")
    assert op.failure_detail == "GS013"


# R34
def test_a_reason_made_to_deceive_is_shown_as_text(world: World):
    op = world.submit()

    happen(
        world, reason(op, "paid\u202e\x00" + "x" * 9999), outcome(op, succeeded=False)
    )

    detail = world.fresh(op).failure_detail
    assert detail.startswith("paid\\u{202e}\\u{0}xxx")
    assert len(detail) < 300


def test_an_included_operation_proves_its_key(world: World):
    op = world.submit()

    happen(world, outcome(op))

    assert world.wallet.owner.proven_at is not None


def test_a_reverted_operation_proves_nothing_more(world: World):
    op = world.submit()

    happen(world, outcome(op, succeeded=False))

    assert world.wallet.owner.proven_at is None


def test_repeating_a_block_changes_nothing(world: World):
    op = world.submit()
    events = (reason(op, "GS013"), outcome(op, succeeded=False))
    happen(world, *events)
    before = list(UserOperation.objects.values())

    happen(world, *events)

    assert list(UserOperation.objects.values()) == before


@pytest.mark.parametrize(
    "status", [s for s in Status if s not in (*CARRIED_OUT, Status.DRAFT)]
)
def test_the_event_has_the_last_word(world: World, status: Status):
    op = world.submit()
    UserOperation.objects.update(status=status)

    happen(world, outcome(op))

    assert world.fresh(op).status == Status.INCLUDED


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_an_event_counts_while_its_sender_is_still_writing(transactional_world: World):
    world = transactional_world
    op = world.sign()
    has_written = threading.Event()

    def write_submitted() -> None:
        with transaction.atomic():
            UserOperation.objects.transition(
                op.pk, source=Status.SIGNED, target=Status.SUBMITTED
            )
            has_written.set()
            time.sleep(0.3)  # seconds; the event comes before this is committed
        connections.close_all()

    sender = threading.Thread(target=write_submitted)
    sender.start()
    has_written.wait()
    with transaction.atomic():
        happen(world, outcome(op))
    sender.join()

    assert world.fresh(op).status == Status.INCLUDED


def test_an_event_of_a_stranger_changes_nothing(world: World):
    op = world.submit()
    before = rows()

    happen(
        world,
        outcome(op, sender=b"\x0e" * 20),
        outcome(op, operation_hash=b"\x0e" * 32, sender=b"\x0f" * 20),
    )

    assert rows() == before


def test_an_event_by_another_contract_changes_nothing(world: World):
    op = world.submit()
    forged = outcome(op)
    forged = Event(address=b"\x0e" * 20, topics=forged.topics, data=forged.data)

    happen(world, forged)

    assert world.fresh(op).status == Status.SUBMITTED


@pytest.mark.parametrize(
    "data", [b"", bytes(31), bytes(127), bytes(63) + b"\2" + bytes(64)]
)
def test_an_unreadable_event_does_not_stop_the_others(world: World, data: bytes):
    op = world.submit()
    good = outcome(op)
    broken = Event(address=good.address, topics=good.topics, data=data)
    nonsense = Event(address=good.address, topics=reason(op, "").topics, data=data)

    happen(world, nonsense, broken, good)

    assert world.fresh(op).status == Status.INCLUDED


# --- Another operation at the same nonce ------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [Status.AWAITING_SIGNATURES, Status.SIGNED, Status.SUBMITTED, Status.REJECTED],
)
def test_another_operation_at_its_nonce_replaces_it(world: World, status: Status):
    op = world.submit()
    UserOperation.objects.update(status=status)

    happen(world, outcome(op, operation_hash=b"\x0e" * 32))

    op = world.fresh(op)
    assert (op.status, op.failure_code) == (Status.REPLACED, "replaced")


def test_another_operation_at_another_nonce_replaces_nothing(world: World):
    op = world.submit()

    happen(world, outcome(op, operation_hash=b"\x0e" * 32, nonce=1 << 64))

    assert world.fresh(op).status == Status.SUBMITTED


# R64
@pytest.mark.parametrize("winner", [0, 1])
def test_of_two_versions_one_is_included_and_the_other_replaced(
    world: World, winner: int
):
    versions = two_versions(world)

    happen(world, outcome(versions[winner]))

    assert world.fresh(versions[winner]).status == Status.INCLUDED
    assert world.fresh(versions[1 - winner]).status == Status.REPLACED


# --- Deployments ------------------------------------------------------------------------


def test_the_event_of_our_transaction_makes_the_account_live(world: World):
    row = deployment(world)
    safe = make_queued_wallet(status="broadcast", deployment_transaction=row).safe

    happen(world, proxy_creation_event(safe.address))

    safe.refresh_from_db()
    assert (safe.status, safe.deployed_block) == (Safe.Status.DEPLOYED, BLOCK)


# R23
@pytest.mark.parametrize("status", [Safe.Status.QUEUED, Safe.Status.FAILED])
def test_an_account_that_somebody_else_made_is_looked_at_before_it_is_live(
    world: World, status: str
):
    safe = make_queued_wallet(status=status, deployment_requested_at=None).safe

    happen(world, proxy_creation_event(safe.address))

    safe.refresh_from_db()
    assert safe.status == Safe.Status.QUEUED
    assert safe.deployment_requested_at is not None


def test_an_account_of_a_stranger_is_no_news(world: World):
    before = rows()

    happen(world, proxy_creation_event(b"\x0e" * 20))

    assert rows() == before


# --- Relayer's receipts -----------------------------------------------------------------


@pytest.mark.parametrize("seen", ["signed", "broadcast"])
@pytest.mark.parametrize("now", ["signed", "broadcast"])
def test_a_receipt_counts_whatever_the_sender_was_just_writing(
    world: World, seen: str, now: str
):
    row = make_relayer_transaction(chain=world.chain, status=seen)
    RelayerTransaction.objects.update(status=now)

    inclusion.apply_receipt(
        row=row, receipt=Receipt(block_number=BLOCK, succeeded=True, gas_used=9)
    )

    row.refresh_from_db()
    assert (row.status, row.block_number, row.gas_used) == ("mined", BLOCK, 9)


def test_a_reverted_deployment_queues_its_accounts_again(world: World):
    row = make_relayer_transaction(chain=world.chain, status="broadcast")
    safe = make_queued_wallet(status="broadcast", deployment_transaction=row).safe

    inclusion.apply_receipt(
        row=row, receipt=Receipt(block_number=BLOCK, succeeded=False, gas_used=9)
    )

    row.refresh_from_db()
    safe.refresh_from_db()
    assert (row.status, row.failure_code) == ("failed", "reverted")
    assert (safe.status, safe.deployment_attempts) == (Safe.Status.QUEUED, 1)
    assert safe.deployment_transaction is None


# --- Balances ---------------------------------------------------------------------------


def test_accounts_that_a_block_touched_are_named(world: World):
    by_log, by_transfer, by_event, idle = (
        make_wallet(synced_at_block=100).safe for _ in range(4)
    )
    Safe.objects.filter(pk=world.wallet.safe.pk).update(synced_at_block=100)
    logs = logs_of(
        Event(address=by_log.address, topics=(b"\x01" * 32,)),
        outcome_event(operation_hash=b"\x0e" * 32, sender=by_event.address, nonce=0),
    )

    touched = inclusion.touched_safes(
        chain=world.chain, addresses=[by_transfer.address], logs=logs
    )

    assert set(touched) == {by_log, by_transfer, by_event}
    assert idle not in touched


def test_an_account_of_unknown_balance_is_asked_about(world: World):
    Safe.objects.update(synced_at_block=100)
    unknown = make_wallet(synced_at_block=None).safe

    touched = inclusion.touched_safes(chain=world.chain, addresses=[], logs=[])

    assert touched == [unknown]
