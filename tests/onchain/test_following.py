"""The follower's own loop: what it notices by itself, and what does not end it."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.management import following
from onchain.models import Chain, Heartbeat
from onchain.models.operation_states import Status
from onchain.protocol.errors import EncodingError
from onchain.services import follower
from tests.factories import World, make_world
from tests.onchain.services.happenings import follow, outcome
from tests.pages import Page


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def loop(world: World) -> following.Follower:
    return following.Follower(
        chain=world.chain,
        node=world.node,
        second=None,
        name="the one",
        stopped=threading.Event(),
    )


def test_contracts_that_are_not_the_pinned_ones_stop_submissions(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """R22"""
    monkeypatch.setattr(following, "VERIFY_SECONDS", 0.0)

    loop(world).one_pass()

    assert "is not on the chain" in Chain.objects.get().problem


def test_contracts_are_not_asked_for_in_every_pass(world: World):
    loop(world).one_pass()

    assert Chain.objects.get().problem == ""


def test_an_old_head_stops_submissions_until_there_is_a_new_one(world: World, settings):
    """R48"""
    own = loop(world)
    world.node.mine()
    own.one_pass()
    Chain.objects.update(head_timestamp=int(time.time()))
    settings.HEAD_STALE_SECONDS = -10
    own.heard_at = -following.HEARTBEAT_SECONDS

    own.one_pass()

    assert "no new block" in Chain.objects.get().problem
    settings.HEAD_STALE_SECONDS = 10**10
    own.heard_at = -following.HEARTBEAT_SECONDS
    own.one_pass()
    assert Chain.objects.get().problem == ""


def freeze(world: World) -> None:
    """The node has shown the same block for 29 seconds."""
    Chain.objects.update(head_timestamp=int(time.time()) - 29)


def move_elsewhere(world: World) -> None:
    """Another chain answers behind the node's URL."""
    world.node.chain_id_answer = 1
    world.node.mine()


def fall_silent(world: World) -> None:
    """The node does not answer any more."""
    world.node.failure = TransientClientError("ConnectionError")
    silent_since = timezone.now() - timedelta(seconds=27)
    Heartbeat.objects.filter(component="node").update(seen_at=silent_since)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (freeze, "Payments are stopped. The node has had no new block for a while."),
        (move_elsewhere, "Payments are stopped. The node is on chain 1."),
        (fall_silent, "The chain's node does not answer."),
    ],
)
def test_every_page_says_within_30_seconds_that_the_node_is_not_to_be_relied_on(
    trouble, words, world: World, monkeypatch: pytest.MonkeyPatch
):
    """R48: and nothing becomes confirmed meanwhile."""
    monkeypatch.setattr(following, "IDLE_SECONDS", 0.0)
    client = Client()
    client.force_login(world.wallet.user)
    own, op = loop(world), world.submit()
    follow(world)
    world.node.mine(outcome(op))
    own.one_pass()
    url = reverse("onchain:operation", args=[op.pk])
    before = Page(client.get(url))
    assert words not in before.words

    trouble(world)
    for _pass in range(3):
        own.heard_at = -following.HEARTBEAT_SECONDS
        own.one_pass()

    page = Page(client.get(url))
    assert words in page.words
    assert world.fresh(op).status == Status.INCLUDED
    assert not world.fresh(op).is_confirmed


def test_an_answer_that_cannot_be_read_ends_nothing_and_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    def unreadable(**_chain: object) -> bool:
        raise EncodingError("a point off the curve")

    monkeypatch.setattr(following, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(follower, "advance", unreadable)

    assert not loop(world).one_pass()

    heartbeat = world.chain.heartbeats.get(component="node")
    assert heartbeat.detail == "a point off the curve"


def test_a_database_error_between_two_passes_ends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """R51"""
    own = loop(world)
    asked = []

    def failing(**_chain: object) -> bool:
        asked.append(1)
        if len(asked) == 1:
            raise OperationalError("deadlock detected")
        own.stopped.set()
        return False

    monkeypatch.setattr(following, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(following, "close_old_connections", lambda: None)
    monkeypatch.setattr(follower, "advance", failing)

    own.run()

    assert len(asked) == 2
