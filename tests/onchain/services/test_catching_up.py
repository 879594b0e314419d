"""Reading a long gap: in ranges that shrink, and said to everybody."""

from __future__ import annotations

import pytest
from django.utils import timezone

from onchain.clients.errors import AnswerTooLarge, TransientClientError
from onchain.models import Chain
from onchain.services import chains, follower
from onchain.services import health as health_service
from onchain.services.block_ranges import GROW_AFTER, MOST_BLOCKS, Stride
from tests.factories import World
from tests.onchain.services.happenings import chain_of, follow, known
from tests.pages import Page


def ranges(world: World) -> list[int]:
    """How many blocks each request asked for."""
    asked = [call.split()[1:] for call in world.node.calls if "with_logs" in call]
    return [int(last) - int(first) + 1 for first, last in asked]


def mine(world: World, blocks: int) -> None:
    for _ in range(blocks):
        world.node.mine()


# --- Ranges -----------------------------------------------------------------------------


def test_a_range_that_is_too_large_is_halved_until_it_is_answered(world: World):
    follow(world)
    mine(world, 50)
    world.node.most_blocks = 7
    world.node.calls.clear()

    stride = Stride()
    while follower.advance(chain=world.chain, node=world.node, stride=stride):
        pass

    assert ranges(world)[:4] == [50, 25, 12, 6]
    assert known(world) == chain_of(world, 51)


def test_even_one_block_can_be_too_large_and_nothing_is_skipped(world: World):
    follow(world)
    mine(world, 3)
    world.node.most_blocks = 0

    with pytest.raises(AnswerTooLarge):
        follower.advance(chain=world.chain, node=world.node)

    assert ranges(world)[-1] == 1
    assert known(world) == chain_of(world, 4)[:1]


def test_any_failure_makes_the_next_request_smaller(world: World):
    follow(world)
    mine(world, 40)
    stride = Stride()
    ask = world.node.blocks_with_logs

    def silent(*_arguments):
        raise TransientClientError("ReadTimeout")

    world.node.blocks_with_logs = silent
    with pytest.raises(TransientClientError):
        follower.advance(chain=world.chain, node=world.node, stride=stride)
    world.node.blocks_with_logs = ask
    world.node.calls.clear()
    follower.advance(chain=world.chain, node=world.node, stride=stride)

    assert ranges(world) == [20]


def test_ranges_grow_again_after_a_while():
    stride = Stride()
    stride.halve(MOST_BLOCKS)
    assert stride.blocks == MOST_BLOCKS // 2

    for _ in range(GROW_AFTER - 1):
        stride.note_answer()
    assert stride.blocks == MOST_BLOCKS // 2
    stride.note_answer()

    assert stride.blocks == MOST_BLOCKS


def test_ranges_never_shrink_to_nothing_nor_grow_beyond_the_most():
    stride = Stride()
    for _ in range(10):
        stride.halve(stride.blocks)
    assert stride.blocks == 1
    for _ in range(10 * GROW_AFTER):
        stride.note_answer()

    assert stride.blocks == MOST_BLOCKS


# --- Progress ---------------------------------------------------------------------------


def test_how_far_it_has_caught_up_is_said(world: World, client, settings):
    settings.SECOND_NODE_URL = "http://127.0.0.1:1"
    follow(world)
    mine(world, 120)

    follower.advance(chain=world.chain, node=world.node)

    chain = world.chain
    assert (chain.blocks_behind, chain.catching_up) == (70, "50 of 120 blocks")
    health = health_service.health(now=timezone.now())
    assert health.notes == ["Catching up: 50 of 120 blocks."]
    assert not health.is_head_old  # what is read is old by itself
    chains.heard(chain=chain, component="follower")
    words = Page(client.get("/")).words
    assert "Figures are 70 blocks behind." in words
    assert "50 of 120 blocks" in words


def test_thousands_are_grouped():
    chain = Chain(catch_up_from=100, head_number=3_300, newest_number=10_100)

    assert chain.catching_up == "3,200 of 10,000 blocks"


def test_whoever_is_up_to_date_is_not_behind(world: World):
    follow(world)
    mine(world, 120)

    follow(world)

    chain = world.chain
    assert (chain.blocks_behind, chain.catching_up) == (0, "")
    assert chain.catch_up_from is None


def test_a_gap_that_grows_while_it_is_read_keeps_its_beginning(world: World):
    follow(world)
    mine(world, 120)
    follower.advance(chain=world.chain, node=world.node)
    mine(world, 10)

    follower.advance(chain=world.chain, node=world.node)

    assert world.chain.catching_up == "100 of 130 blocks"
