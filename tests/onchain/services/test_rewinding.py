"""Undoing blocks: rows are what they were before (R49)."""

from __future__ import annotations

import pytest

from onchain.clients.node_types import Receipt
from onchain.models import RelayerTransaction, Safe
from onchain.models.operation_states import Status
from onchain.services import chain_events, inclusion
from tests import claims
from tests.factories import (
    World,
    make_queued_wallet,
    make_relayer_transaction,
)
from tests.fake_events import (
    proxy_creation_event,
)
from tests.onchain.services.happenings import (
    BLOCK,
    happen,
    outcome,
    reason,
    rows,
    two_versions,
)


@pytest.fixture
def world(either_world: World) -> World:
    """What holds here holds for every kind of operation."""
    return either_world


@pytest.mark.parametrize("succeeded", [True, False])
def test_rewinding_takes_an_outcome_back(world: World, succeeded: bool):
    op = world.submit()
    before = rows()
    happen(world, reason(op, "GS013"), outcome(op, succeeded=succeeded))

    chain_events.rewind(chain=world.chain, fork_number=BLOCK - 1)

    assert rows() == before
    assert world.fresh(op).included_at is None


def test_the_same_block_again_gives_equal_rows(world: World):
    op = world.submit()
    safe = make_queued_wallet().safe
    events = (outcome(op), proxy_creation_event(safe.address))
    happen(world, *events)
    before = rows()

    chain_events.rewind(chain=world.chain, fork_number=BLOCK - 1)
    happen(world, *events)

    assert rows() == before


def test_blocks_below_the_fork_stay(world: World):
    op = world.submit()
    happen(world, outcome(op))
    before = rows()

    chain_events.rewind(chain=world.chain, fork_number=BLOCK)

    assert rows() == before


def test_what_was_replaced_is_open_again(world: World):
    op = world.submit()
    before = rows()
    happen(world, outcome(op, operation_hash=b"\x0e" * 32))

    chain_events.rewind(chain=world.chain, fork_number=BLOCK - 1)

    assert rows() == before


def test_what_was_replaced_unsigned_waits_for_its_signature_again(world: World):
    op = world.prepare()
    before = rows()
    happen(world, outcome(op, operation_hash=b"\x0e" * 32))

    chain_events.rewind(chain=world.chain, fork_number=BLOCK - 1)

    assert rows() == before


@pytest.mark.parametrize("winner", [0, 1])
def test_of_two_versions_the_carried_out_one_is_open_after_a_rewind(
    world: World, winner: int
):
    versions = two_versions(world)
    happen(world, outcome(versions[winner]))

    chain_events.rewind(chain=world.chain, fork_number=BLOCK - 1)

    assert world.fresh(versions[winner]).status == Status.SUBMITTED
    assert world.fresh(versions[1 - winner]).status == Status.REPLACED


def test_after_a_rewind_the_other_version_may_still_win(world: World):
    first, second = two_versions(world)
    happen(world, outcome(second))
    chain_events.rewind(chain=world.chain, fork_number=BLOCK - 1)

    happen(world, outcome(first))

    assert world.fresh(first).status == Status.INCLUDED
    assert world.fresh(second).status == Status.REPLACED


def test_a_newer_payment_at_the_nonce_does_not_stop_a_rewind(payment_world: World):
    op = payment_world.submit()
    happen(payment_world, outcome(op))
    newer = payment_world.prepare(
        payment_world.draft(value_wei=1)
    )  # the node was reorganised already
    assert newer.nonce_key == op.nonce_key

    chain_events.rewind(chain=payment_world.chain, fork_number=BLOCK - 1)

    assert payment_world.fresh(op).status == Status.REPLACED
    assert payment_world.fresh(newer).status == Status.AWAITING_SIGNATURES
    happen(payment_world, outcome(op))
    assert payment_world.fresh(op).status == Status.INCLUDED
    assert payment_world.fresh(newer).status == Status.REPLACED


def test_rewinding_takes_a_deployment_back_to_its_transaction(world: World):
    row = make_relayer_transaction(
        chain=world.chain, status="broadcast", hash=b"\x77" * 32
    )
    safe = make_queued_wallet(status="broadcast", deployment_transaction=row).safe
    before = rows()
    happen(world, proxy_creation_event(safe.address))
    inclusion.apply_receipt(
        row=row, receipt=Receipt(block_number=BLOCK, succeeded=True, gas_used=9)
    )

    chain_events.rewind(chain=world.chain, fork_number=BLOCK - 1)

    assert rows() == before


def test_rewinding_a_strangers_deployment_queues_the_account(world: World):
    safe = make_queued_wallet(status="deployed", deployed_block=BLOCK).safe

    chain_events.rewind(chain=world.chain, fork_number=BLOCK - 1)

    safe.refresh_from_db()
    assert (safe.status, safe.deployed_block) == (Safe.Status.QUEUED, None)


def test_transactions_of_one_recovery_do_not_stop_a_rewind(payment_world: World):
    """Its start, its end and a second try were never in flight together."""
    claim = claims.account_claim(payment_world.wallet.safe)

    def relayed(status: str, block_number: int | None = None) -> RelayerTransaction:
        return make_relayer_transaction(
            chain=payment_world.chain,
            account_claim=claim,
            status=status,
            block_number=block_number,
        )

    mined = [relayed(status, BLOCK) for status in ("mined", "failed", "mined")]
    waiting = relayed("queued")

    chain_events.rewind(chain=payment_world.chain, fork_number=BLOCK - 1)

    for row in mined:
        row.refresh_from_db()
        assert (row.status, row.block_number) == ("broadcast", None)
        assert row.account_claim is None
    waiting.refresh_from_db()
    assert (waiting.status, waiting.account_claim) == ("queued", claim)


def test_rewinding_forgets_balances_read_above_the_fork(world: World):
    safe = world.wallet.safe
    inclusion.apply_balances(balances={safe.pk: 7}, block_number=BLOCK)

    chain_events.rewind(chain=world.chain, fork_number=BLOCK - 1)

    safe.refresh_from_db()
    assert safe.synced_at_block is None
