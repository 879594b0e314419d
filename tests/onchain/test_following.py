"""The follower's own loop: what it notices by itself, and what does not end it."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import OperationalError

from onchain.management import following
from onchain.models import Chain
from onchain.protocol.errors import EncodingError
from onchain.services import follower
from tests.factories import World, make_world


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
