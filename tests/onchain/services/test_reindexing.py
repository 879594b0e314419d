"""Reading an account again: idempotent, in ranges, and refused in words."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from onchain.clients.errors import TransientClientError
from onchain.clients.node_types import LogRecord
from onchain.errors import ReindexRefused
from onchain.models import Block, Transfer
from onchain.models.operation_states import Status
from onchain.services.reindexing import reindex
from tests.factories import World, make_queued_wallet
from tests.fake_events import proxy_creation_event
from tests.onchain.services.happenings import follow, outcome, reason, received, rows


def forget(world: World, op) -> None:
    """Lose what the follower had written."""
    Transfer.objects.all().delete()
    type(op).objects.filter(pk=op.pk).update(
        status=Status.SUBMITTED, block_number=None, transaction_hash=None
    )


def happened(world: World):
    follow(world)
    op = world.submit()
    block = world.node.mine(
        received(world.wallet.safe, 7), reason(op, "GS013"), outcome(op)
    )
    follow(world)
    return op, block


def test_what_was_lost_is_found_again(world: World):
    op, block = happened(world)
    forget(world, op)

    report = reindex(safe=world.wallet.safe, node=world.node, first=100)

    assert world.fresh(op).status == Status.INCLUDED
    assert Transfer.objects.get().block_number == block.number
    assert (report.first, report.last, report.logs) == (100, block.number, 3)
    assert f"Operation {op.pk}: Sent, now Included." in report.changes
    assert any(text.startswith("Received 7 wei") for text in report.changes)


def test_where_nothing_is_missing_nothing_changes(world: World):
    happened(world)
    before = [row for row in rows() if "owners_synced_block" not in row]

    report = reindex(safe=world.wallet.safe, node=world.node, first=100)

    assert report.changes == []
    assert [row for row in rows() if "owners_synced_block" not in row] == before


def test_owners_and_balance_are_left_to_the_follower(world: World):
    happened(world)

    reindex(safe=world.wallet.safe, node=world.node, first=100)

    safe = world.wallet.safe
    safe.refresh_from_db()
    assert (safe.owners_synced_block, safe.synced_at_block) == (None, None)
    world.node.mine()
    follow(world)
    safe.refresh_from_db()
    assert safe.owners_synced_block == safe.synced_at_block == 102


def test_a_deployment_is_noticed(world: World):
    follow(world)
    safe = make_queued_wallet(deployment_requested_at=None).safe
    world.node.mine()
    follow(world)
    block = world.node.blocks[-1]
    event = proxy_creation_event(safe.address)
    world.node.logs.append(log_in(block, event))

    reindex(safe=safe, node=world.node, first=100)

    safe.refresh_from_db()
    assert safe.deployment_requested_at is not None


def log_in(block, event):
    return LogRecord(
        address=event.address,
        topics=event.topics,
        data=event.data,
        block_hash=block.hash,
        block_number=block.number,
        transaction_hash=event.transaction_hash,
        log_index=9,
    )


def test_ranges_shrink_and_miss_nothing(world: World):
    op, block = happened(world)
    for _ in range(40):
        world.node.mine()
    follow(world)
    forget(world, op)
    world.node.most_blocks = 3

    reindex(safe=world.wallet.safe, node=world.node, first=100)

    assert world.fresh(op).block_number == block.number


@pytest.mark.parametrize("first", [-1, 101, 10**9])
def test_blocks_that_nobody_read_are_refused_in_words(world: World, first: int):
    follow(world)

    with pytest.raises(ReindexRefused, match="the follower is at 100"):
        reindex(safe=world.wallet.safe, node=world.node, first=first)


def test_logs_of_a_block_that_the_follower_does_not_have_are_not_written(world: World):
    op, _block = happened(world)
    forget(world, op)
    Block.objects.filter(number=101).update(hash=b"\x01" * 32)

    with pytest.raises(TransientClientError, match="another block"):
        reindex(safe=world.wallet.safe, node=world.node, first=100)

    assert not Transfer.objects.exists()


# --- The command ------------------------------------------------------------------------


@pytest.fixture
def command(world: World, monkeypatch, capsys):
    monkeypatch.setattr(
        "onchain.management.commands.reindex.node_for", lambda _chain: world.node
    )

    def run(safe: str, first: int) -> str:
        call_command("reindex", "--safe", safe, "--from", str(first))
        return capsys.readouterr().out

    return run


def test_the_command_says_what_changed(world: World, command):
    op, _block = happened(world)
    forget(world, op)

    words = command(world.wallet.safe.address_text, 100)

    assert "Blocks 100 to 101: 3 logs read." in words
    assert f"Operation {op.pk}: Sent, now Included." in words
    assert "Nothing changed." in command(world.wallet.safe.address_text, 100)


@pytest.mark.parametrize(
    ("safe", "words"),
    [
        ("0x12", "is not an address"),
        ("nonsense", "is not an address"),
        ("0x" + "11" * 20, "There is no account"),
    ],
)
def test_the_command_refuses_nonsense_with_words(world: World, command, safe, words):
    follow(world)

    with pytest.raises(CommandError, match=words):
        command(safe, 100)


def test_the_command_refuses_blocks_that_nobody_read(world: World, command):
    follow(world)

    with pytest.raises(CommandError, match="was not read yet"):
        command(world.wallet.safe.address_text, 101)


def test_a_node_that_is_away_is_said(world: World, command):
    follow(world)
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(CommandError, match="ConnectTimeout"):
        command(world.wallet.safe.address_text, 100)
