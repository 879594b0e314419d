"""Ether that arrives: each payment exactly once, and undone by a reorg (R49)."""

from __future__ import annotations

import pytest

from onchain.models import Chain, Safe, Transfer
from onchain.services import chain_events, follower
from tests.factories import ETHER, World, make_queued_wallet, make_wallet
from tests.fake_events import safe_received_event
from tests.onchain.services.happenings import (
    STRANGER,
    follow,
    happen,
    logs_of,
    outcome,
    payment_to,
    received,
    rows,
    transfers_of,
)


def queued_safe() -> Safe:
    return make_queued_wallet().safe


# --- What accounts with code say --------------------------------------------------------


def test_an_account_that_says_so_has_received(world: World):
    follow(world)
    safe = world.wallet.safe
    block = world.node.mine(received(safe, ETHER // 2))

    follow(world)

    assert transfers_of(safe) == [(STRANGER, ETHER // 2, 0, block.number)]
    transfer = Transfer.objects.get()
    assert transfer.received_at.timestamp() == block.timestamp
    assert transfer.transaction_hash == b"\x77" * 32


def test_two_payments_in_one_transaction_are_two(world: World):
    safe = world.wallet.safe

    happen(world, received(safe, 5), received(safe, 5))

    assert [index for _, _, index, _ in transfers_of(safe)] == [0, 1]


def test_what_a_stranger_emits_is_nobodys_money(world: World):
    happen(
        world, safe_received_event(account=STRANGER, sender=STRANGER, value_wei=ETHER)
    )

    assert not Transfer.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"data": b""}, {"topics": 1}, {"value": 0}],
    ids=["no data", "no sender", "nothing sent"],
)
def test_a_log_that_says_nothing_is_passed_over(world: World, change: dict):
    event = received(world.wallet.safe, change.get("value", 5))
    fields = {"address": event.address, "topics": event.topics, "data": event.data}
    fields["topics"] = event.topics[: change.get("topics", 2)]
    fields["data"] = change.get("data", event.data)

    happen(world, type(event)(**fields))

    assert not Transfer.objects.exists()


def test_the_same_logs_again_change_nothing(world: World):
    happen(world, received(world.wallet.safe))
    before = rows()

    happen(world, received(world.wallet.safe))

    assert rows() == before


def test_a_test_chain_far_in_the_future_still_has_a_date(world: World):
    logs_at = {101: 10**15}
    logs = logs_of(received(world.wallet.safe))

    chain_events.apply_logs(chain=world.chain, logs=logs, at=logs_at)

    assert Transfer.objects.get().received_at.year == 9999


# --- Accounts without code --------------------------------------------------------------


def test_a_payment_to_an_account_without_code_is_seen_in_its_transaction(world: World):
    follow(world)
    safe = queued_safe()
    block = world.node.mine(payments=[payment_to(safe)])
    world.node.account_balances[safe.address] = ETHER

    follow(world)

    assert transfers_of(safe) == [(STRANGER, ETHER, None, block.number)]
    safe.refresh_from_db()
    assert safe.balance_wei == ETHER


def test_a_payment_that_its_account_tells_of_counts_once(world: World):
    follow(world)
    safe = world.wallet.safe
    payment = payment_to(safe)
    event = received(safe, transaction_hash=payment.transaction_hash)
    world.node.mine(event, payments=[payment])

    follow(world)

    assert [index for _, _, index, _ in transfers_of(safe)] == [0]


def test_a_payment_that_was_sent_back_did_not_arrive(world: World):
    follow(world)
    payment = payment_to(world.wallet.safe)
    world.node.revert_hashes.add(payment.transaction_hash)
    world.node.mine(payments=[payment])

    follow(world)

    assert not Transfer.objects.exists()


def test_a_payment_to_a_stranger_asks_for_no_receipt(world: World):
    follow(world)
    stranger = Safe(address=b"\x66" * 20)
    world.node.mine(payments=[payment_to(stranger)])

    follow(world)

    assert not Transfer.objects.exists()


def test_both_accounts_of_a_payment_tell_of_it(world: World):
    follow(world)
    other = make_wallet().safe
    op = world.submit(world.sign(world.prepare(world.draft(recipient=other.address))))
    world.node.mine(
        safe_received_event(
            account=other.address,
            sender=world.wallet.safe.address,
            value_wei=op.value_wei,
        ),
        outcome(op),
    )

    follow(world)

    sender = world.wallet.safe.address
    assert [row[:3] for row in transfers_of(other)] == [(sender, op.value_wei, 0)]


def test_our_own_payment_to_an_account_without_code_arrives(world: World):
    follow(world)
    other = queued_safe()
    op = world.submit(world.sign(world.prepare(world.draft(recipient=other.address))))
    world.node.account_balances[other.address] = op.value_wei
    world.node.mine(outcome(op))

    follow(world)

    sender = world.wallet.safe.address
    assert [row[:3] for row in transfers_of(other)] == [(sender, op.value_wei, 0)]
    other.refresh_from_db()
    assert other.balance_wei == op.value_wei


def test_our_own_payment_that_failed_did_not_arrive(world: World):
    follow(world)
    other = queued_safe()
    op = world.submit(world.sign(world.prepare(world.draft(recipient=other.address))))
    world.node.mine(outcome(op, succeeded=False))

    follow(world)

    assert not Transfer.objects.exists()


# --- Reorgs and confirmations -----------------------------------------------------------


def test_a_reorg_takes_money_back_and_brings_it_again(world: World):
    follow(world)
    safe, waiting = world.wallet.safe, queued_safe()
    world.node.mine(received(safe), payments=[payment_to(waiting)])
    follow(world)
    assert Transfer.objects.count() == 2

    world.node.reorganise(1)
    world.node.mine()
    world.node.mine()
    follow(world)
    assert not Transfer.objects.exists()

    block = world.node.mine(payments=[payment_to(waiting)])
    follow(world)
    assert transfers_of(waiting) == [(STRANGER, ETHER, None, block.number)]


def test_it_is_confirmed_by_the_blocks_on_it(world: World):
    follow(world)
    world.node.mine(received(world.wallet.safe))
    follow(world)
    assert not fresh_transfer().is_confirmed

    world.node.mine()
    follow(world)

    assert fresh_transfer().is_confirmed


def fresh_transfer() -> Transfer:
    return Transfer.objects.select_related("safe__chain").get()


# --- What it costs ----------------------------------------------------------------------


def test_the_requests_of_a_block_do_not_grow_with_accounts(world: World):
    follow(world)
    asked = []
    for more in (9, 990):
        add_accounts(world.chain, more)
        world.node.calls.clear()
        world.node.mine(received(world.wallet.safe))
        follower.advance(chain=world.chain, node=world.node)
        asked.append([call.split()[0] for call in world.node.calls])

    assert Safe.objects.count() == 1000
    assert asked[0] == asked[1]


def test_the_queries_of_a_block_do_not_grow_with_accounts(
    world: World, django_assert_max_num_queries, django_assert_num_queries
):
    follow(world)
    add_accounts(world.chain, 9)
    world.node.mine(received(world.wallet.safe))
    with django_assert_max_num_queries(40) as few:
        follower.advance(chain=world.chain, node=world.node)
    add_accounts(world.chain, 990)
    world.node.mine(received(world.wallet.safe))

    with django_assert_num_queries(len(few)):
        follower.advance(chain=world.chain, node=world.node)


def add_accounts(chain: Chain, count: int) -> None:
    like = Safe.objects.first()
    start = Safe.objects.count()
    Safe.objects.bulk_create(
        Safe(
            chain=chain,
            created_by=like.created_by,
            name="Account",
            address=(start + number).to_bytes(20, "big"),
            verifiers=0,
            setup_data=b"",
            status=Safe.Status.DEPLOYED,
            owners_synced_block=100,
            synced_at_block=100,
        )
        for number in range(count)
    )
