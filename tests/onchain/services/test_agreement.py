"""A second node: what both have counts, and where they differ all stops (R48)."""

from __future__ import annotations

import pytest
from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.models import Heartbeat, Transfer
from onchain.models.operation_states import Status
from onchain.services import agreement, chain_events, chains
from onchain.services import health as health_service
from tests.factories import World
from tests.fakes import FakeNode
from tests.onchain.services.happenings import follow, outcome, received


@pytest.fixture
def second(world: World) -> FakeNode:
    """A node that has just the blocks of the first one."""
    node = FakeNode()
    node.blocks = world.node.blocks
    return node


def check(world: World, second: FakeNode | None) -> None:
    agreement.check(chain=world.chain, second=second)


def forge(world: World, second: FakeNode, blocks: int = 2) -> None:
    """Let the two nodes go apart from here."""
    second.blocks = list(second.blocks)
    for _ in range(blocks):
        world.node.mine()
        second.mine()
    follow(world)


def test_blocks_that_both_have_are_agreed(world: World, second: FakeNode):
    follow(world)
    world.node.mine()
    follow(world)

    check(world, second)

    assert world.chain.agreed_number == 100
    assert world.chain.problem == ""


def test_nothing_is_confirmed_before_the_second_node_agrees(
    world: World, second: FakeNode
):
    follow(world)
    check(world, second)
    op = world.submit()
    world.node.mine(outcome(op), received(world.wallet.safe))
    world.node.mine()
    follow(world)
    assert not world.fresh(op).is_confirmed

    check(world, second)

    assert world.fresh(op).is_confirmed
    assert Transfer.objects.select_related("safe__chain").get().is_confirmed


def test_a_node_that_forges_stops_submissions_and_confirms_nothing(
    world: World, second: FakeNode
):
    follow(world)
    check(world, second)
    op = world.submit()
    before = world.chain.confirmed_timestamp
    second.blocks = list(second.blocks)
    world.node.mine(outcome(op))
    second.mine()
    forge(world, second)

    check(world, second)
    follow(world)

    chain = world.chain
    assert "different blocks at height 102" in chain.problem
    assert chain.confirmed_timestamp == before
    assert world.fresh(op).status == Status.INCLUDED
    assert not world.fresh(op).is_confirmed


def test_it_goes_on_by_itself_once_they_agree_again(world: World, second: FakeNode):
    follow(world)
    forge(world, second)
    check(world, second)
    assert world.chain.problem

    world.node.blocks = second.blocks
    follow(world)
    world.node.mine()
    follow(world)
    check(world, second)

    assert world.chain.problem == ""
    assert world.chain.agreed_number == world.chain.head_number - 1


@pytest.mark.parametrize(
    ("ahead", "words"), [("first", "second node is 9"), ("second", "The node is 9")]
)
def test_heads_far_apart_are_a_disagreement(
    world: World, second: FakeNode, ahead: str, words: str
):
    second.blocks = list(second.blocks)
    for _ in range(agreement.HEAD_GAP + 1):
        (world.node if ahead == "first" else second).mine()
    follow(world)

    check(world, second)

    assert words in world.chain.problem
    assert "blocks behind" in world.chain.problem


def test_a_second_node_that_is_a_little_late_is_no_problem(
    world: World, second: FakeNode
):
    second.blocks = list(second.blocks)
    for _ in range(agreement.HEAD_GAP):
        world.node.mine()
    follow(world)

    check(world, second)

    assert (world.chain.problem, world.chain.agreed_number) == ("", 0)


def test_a_second_node_on_another_chain_is_a_disagreement(
    world: World, second: FakeNode
):
    second.chain_id_answer = 1
    follow(world)

    check(world, second)

    assert "second node is on chain 1" in world.chain.problem


def test_a_second_node_that_is_away_stops_nothing_and_confirms_nothing(
    world: World, second: FakeNode
):
    follow(world)
    world.node.mine()
    follow(world)
    check(world, second)
    second.failure = TransientClientError("ConnectTimeout")
    world.node.mine()
    follow(world)

    check(world, second)

    assert (world.chain.problem, world.chain.agreed_number) == ("", 100)
    assert Heartbeat.objects.get(component="second-node").detail == "ConnectTimeout"


def test_a_disagreement_is_not_forgotten_while_the_second_node_is_away(
    world: World, second: FakeNode
):
    follow(world)
    forge(world, second)
    check(world, second)
    second.failure = TransientClientError("ConnectTimeout")

    check(world, second)

    assert "different blocks" in world.chain.problem


def test_without_a_second_node_the_first_is_believed_again(
    world: World, second: FakeNode
):
    follow(world)
    forge(world, second)
    check(world, second)

    check(world, None)

    assert (world.chain.problem, world.chain.agreed_number) == ("", None)
    assert not Heartbeat.objects.filter(component="second-node").exists()


def test_a_reorg_below_what_was_agreed_is_agreed_anew(world: World, second: FakeNode):
    follow(world)
    forge(world, FakeNode(), blocks=3)
    check(world, second)
    assert world.chain.agreed_number == 102

    chain_events.rewind(chain=world.chain, fork_number=101)

    assert world.chain.agreed_number == 101


# --- What is said -----------------------------------------------------------------------


def test_operators_know_that_one_node_is_believed(world: World, settings):
    settings.SECOND_NODE_URL = ""

    (note,) = health_service.health(now=timezone.now()).notes

    assert "invented blocks, nobody would notice" in note


def test_one_kind_of_trouble_does_not_end_with_another(world: World):
    chain = world.chain
    chains.report(chain=chain, node_problem="The node is on chain 1.")
    chains.report(chain=chain, agreement_problem="They differ.")

    chains.report(chain=chain, node_problem="")
    assert world.chain.problem == "They differ."
    chains.report(chain=chain, agreement_problem="")

    assert world.chain.problem == ""
