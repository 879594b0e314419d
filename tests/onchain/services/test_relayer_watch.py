"""The relayer's balance, its nonces, and its key in somebody else's hands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.models import Heartbeat, JournalEntry, RelayerTransaction
from onchain.services import broadcasting, health, relayer, relayer_watch, relaying
from tests.factories import ETHER, RELAYER_KEY, World, make_relayer_transaction

ACCOUNT = relayer.account_of(RELAYER_KEY)
SENDER = relayer.sender_of(ACCOUNT)


def watch(world: World) -> Heartbeat | None:
    relayer_watch.watch(chain=world.chain, node=world.node, account=ACCOUNT)
    return Heartbeat.objects.filter(component="relayer").first()


def sign(world: World) -> RelayerTransaction:
    row = make_relayer_transaction(chain=world.chain)
    assert relayer.sign_queued(row=row, node=world.node, account=ACCOUNT)
    row.refresh_from_db()
    return row


def send(world: World) -> RelayerTransaction:
    row = sign(world)
    broadcasting.broadcast(row=row, node=world.node)
    row.refresh_from_db()
    return row


def age(row: RelayerTransaction) -> None:
    long_ago = timezone.now() - timedelta(seconds=120)
    RelayerTransaction.objects.filter(pk=row.pk).update(broadcast_at=long_ago)


def test_a_funded_relayer_is_well(world: World):
    heartbeat = watch(world)

    assert not heartbeat.is_stale
    assert heartbeat.detail == ""


def test_a_low_balance_is_said_in_the_console(world: World, settings):
    world.node.relayer_balance_wei = settings.RELAYER_FLOOR_WEI - 1

    heartbeat = watch(world)

    assert heartbeat.is_stale
    parts = {part.name: part for part in health.health(now=timezone.now()).components}
    assert "Its balance is low" in parts["Relayer"].detail


def test_a_refilled_balance_is_well_again(world: World, settings):
    world.node.relayer_balance_wei = 0
    watch(world)
    world.node.relayer_balance_wei = ETHER

    assert not watch(world).is_stale


def test_a_nonce_that_is_not_ours_is_written_down_once(world: World):
    send(world)
    world.node.mine()
    world.node.transaction_counts[SENDER] = 2  # somebody else sent one

    watch(world)
    heartbeat = watch(world)

    entry = JournalEntry.objects.get(action=relayer_watch.ELSEWHERE)
    assert entry.target == "nonce 1 on chain 31337"
    assert entry.actor is None
    assert "Somebody else used its key" in heartbeat.detail


def test_our_own_nonces_are_no_alarm(world: World):
    for _ in range(3):
        send(world)
    world.node.mine()

    assert watch(world).detail == ""
    assert not JournalEntry.objects.exists()


def test_what_was_sent_before_this_site_had_the_key_is_no_alarm(world: World):
    world.node.transaction_counts[SENDER] = 40
    watch(world)
    send(world)
    world.node.mine()

    assert watch(world).detail == ""
    assert not JournalEntry.objects.exists()


def test_an_old_alarm_ends(world: World):
    send(world)
    world.node.transaction_counts[SENDER] = 2
    watch(world)
    JournalEntry.objects.update(created_at=timezone.now() - timedelta(hours=25))

    assert watch(world).detail == ""


def test_a_missing_nonce_is_filled_with_a_payment_of_nothing(world: World):
    lost, row = sign(world), send(world)
    lost.delete()
    age(row)

    watch(world)
    relaying.run(chain=world.chain, node=world.node, account=ACCOUNT)

    filler = RelayerTransaction.objects.get(purpose="fill")
    assert (filler.nonce, filler.value_wei, filler.to) == (0, 0, SENDER)
    assert filler.status == "broadcast"


def test_a_gap_is_filled_once(world: World):
    row = send(world)
    RelayerTransaction.objects.update(nonce=1)
    age(row)

    watch(world)
    watch(world)

    assert RelayerTransaction.objects.filter(purpose="fill").count() == 1


def test_no_gap_is_filled_that_is_only_moments_old(world: World):
    send(world)
    RelayerTransaction.objects.update(nonce=1)

    watch(world)

    assert not RelayerTransaction.objects.filter(purpose="fill").exists()


def test_what_is_queued_fills_a_gap_by_itself(world: World):
    row = send(world)
    RelayerTransaction.objects.update(nonce=1)
    age(row)
    make_relayer_transaction(chain=world.chain)

    watch(world)

    assert not RelayerTransaction.objects.filter(purpose="fill").exists()


def test_without_funds_nothing_is_signed(world: World):
    row = make_relayer_transaction(chain=world.chain)
    world.node.relayer_balance_wei = row.value_wei

    with pytest.raises(TransientClientError, match="out of funds"):
        relayer.sign_queued(row=row, node=world.node, account=ACCOUNT)

    row.refresh_from_db()
    assert (row.status, row.raw) == ("queued", None)


def test_what_is_in_flight_is_not_spent_twice(world: World):
    first = send(world)
    world.node.relayer_balance_wei = 2 * first.max_cost_wei - 1

    with pytest.raises(TransientClientError, match="out of funds"):
        send(world)


def test_a_node_out_of_reach_notes_nothing(world: World):
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(TransientClientError):
        watch(world)
    assert not Heartbeat.objects.filter(component="relayer").exists()
