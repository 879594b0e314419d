"""A stuck relayer transaction pays more; whichever version is mined, it counts once."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from django.utils import timezone
from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes

from onchain.clients.errors import TransientClientError
from onchain.models import RelayerAttempt, RelayerTransaction, Safe
from onchain.services import broadcasting, follower, relayer, relaying, replacement
from tests.factories import (
    RELAYER_KEY,
    World,
    make_queued_wallet,
    make_relayer_transaction,
)
from tests.fake_events import proxy_creation_event
from tests.fakes import BASE_FEE_WEI
from tests.threads import all_at_once

ACCOUNT = relayer.account_of(RELAYER_KEY)
SENDER = relayer.sender_of(ACCOUNT)
GWEI = 10**9


@pytest.fixture
def stuck(world: World) -> RelayerTransaction:
    """A transaction that was sent two minutes ago and is in no block."""
    return make_stuck(world)


def make_stuck(world: World) -> RelayerTransaction:
    row = make_relayer_transaction(chain=world.chain)
    assert relayer.sign_queued(row=row, node=world.node, account=ACCOUNT)
    row.refresh_from_db()
    broadcasting.broadcast(row=row, node=world.node)
    long_ago = timezone.now() - timedelta(seconds=120)
    RelayerTransaction.objects.filter(pk=row.pk).update(broadcast_at=long_ago)
    row.refresh_from_db()
    return row


def replace(world: World) -> bool:
    return replacement.replace_stuck(
        chain=world.chain, node=world.node, account=ACCOUNT
    )


def test_a_stuck_transaction_pays_an_eighth_more_at_the_same_nonce(world, stuck):
    before = (stuck.max_fee_per_gas, stuck.max_priority_fee_per_gas)

    assert replace(world)

    stuck.refresh_from_db()
    assert stuck.nonce == 0
    assert stuck.max_fee_per_gas * 8 >= before[0] * 9
    assert stuck.max_priority_fee_per_gas * 8 >= before[1] * 9
    assert stuck.status == "broadcast"


def test_the_replacement_pays_what_the_chain_asks_now(world, stuck):
    world.node.base_fee_wei = 40 * BASE_FEE_WEI

    replace(world)

    stuck.refresh_from_db()
    assert stuck.max_fee_per_gas >= 2 * world.node.base_fee_wei


def test_it_does_the_same_as_before(world, stuck):
    replace(world)
    earlier = RelayerAttempt.objects.get()

    stuck.refresh_from_db()
    told = [
        {name: fields[name] for name in ("to", "value", "data", "gas", "nonce")}
        for fields in map(fields_of, (bytes(earlier.raw), bytes(stuck.raw)))
    ]
    assert told[0] == told[1]


def fields_of(raw: bytes) -> dict[str, object]:
    return TypedTransaction.from_bytes(HexBytes(raw)).as_dict()


def test_the_node_takes_the_replacement_and_mines_it_once(world, stuck):
    replace(world)
    stuck.refresh_from_db()
    broadcasting.broadcast(row=stuck, node=world.node)

    block = world.node.mine()
    follower.advance(chain=world.chain, node=world.node)

    stuck.refresh_from_db()
    assert block.transaction_hashes == {stuck.hash}
    assert stuck.status == "mined"


def test_an_earlier_version_that_is_mined_settles_the_row(world, stuck):
    first = stuck.hash
    replace(world)

    block = world.node.mine()  # the replacement never reached the node
    follower.advance(chain=world.chain, node=world.node)

    stuck.refresh_from_db()
    assert block.transaction_hashes == {first}
    assert stuck.status == "mined"
    assert not replace(world)


def test_a_mined_earlier_version_is_not_given_up(world, stuck):
    replace(world)
    world.node.mine()
    stuck.refresh_from_db()
    long_ago = timezone.now() - timedelta(seconds=120)
    RelayerTransaction.objects.filter(pk=stuck.pk).update(broadcast_at=long_ago)
    stuck.refresh_from_db()

    broadcasting.broadcast(row=stuck, node=world.node)

    stuck.refresh_from_db()
    assert stuck.status == "broadcast"  # the follower will settle it


def test_a_deployment_by_an_earlier_version_counts_as_ours(world, stuck):
    safe = make_queued_wallet(status="broadcast", deployment_transaction=stuck).safe
    first = stuck.hash
    replace(world)

    created = dataclasses.replace(
        proxy_creation_event(safe.address), transaction_hash=first
    )
    world.node.mine(created)
    follower.advance(chain=world.chain, node=world.node)

    safe.refresh_from_db()
    assert safe.status == Safe.Status.DEPLOYED


def test_what_was_sent_moments_ago_is_left_alone(world, stuck):
    RelayerTransaction.objects.update(broadcast_at=timezone.now())

    assert not replace(world)


def test_only_the_next_in_line_is_replaced(world, stuck):
    second = make_stuck(world)

    replace(world)

    second.refresh_from_db()
    assert second.earlier.count() == 0
    assert stuck.earlier.count() == 1


def test_one_that_waits_behind_a_gap_is_left_alone(world, stuck):
    RelayerTransaction.objects.update(nonce=5)

    assert not replace(world)


def test_the_ceiling_holds(world, stuck, settings):
    settings.MAX_FEE_PER_GAS = stuck.max_fee_per_gas + 1

    assert not replace(world)

    stuck.refresh_from_db()
    assert not RelayerAttempt.objects.exists()


@pytest.mark.parametrize(
    ("fee", "raised"), [(8, 9), (1, 2), (100, 113), (0, 0)], ids=str
)
def test_fees_are_raised_by_an_eighth_rounded_up(fee, raised):
    row = RelayerTransaction(max_fee_per_gas=fee, max_priority_fee_per_gas=0)

    assert replacement.raised_fees(row, base_fee=0, tip=0, ceiling=1_000) == (raised, 0)


def test_the_tip_never_exceeds_the_fee():
    row = RelayerTransaction(max_fee_per_gas=40, max_priority_fee_per_gas=40)

    fee, tip = replacement.raised_fees(row, base_fee=0, tip=90, ceiling=50)

    assert tip <= fee <= 50


def test_a_node_out_of_reach_changes_nothing(world, stuck):
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(TransientClientError):
        replace(world)

    assert not RelayerAttempt.objects.exists()


def test_a_round_of_the_relayer_replaces_and_the_next_sends(world, stuck):
    relaying.run(chain=world.chain, node=world.node, account=ACCOUNT)
    RelayerTransaction.objects.update(
        broadcast_at=timezone.now() - timedelta(seconds=5)
    )
    relaying.run(chain=world.chain, node=world.node, account=ACCOUNT)

    stuck.refresh_from_db()
    assert list(world.node.pool) == [stuck.hash]
    assert stuck.earlier.count() == 1


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_ten_parallel_rounds_replace_once(transactional_world: World):
    world = transactional_world
    row = make_stuck(world)

    all_at_once(10, lambda: replace(world))

    row.refresh_from_db()
    assert row.earlier.count() == 1
