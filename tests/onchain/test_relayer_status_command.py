"""manage.py relayer_status: what an operator reads before the relayer's key is swapped."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from onchain.clients.errors import TransientClientError
from onchain.services import budgets, relayer
from tests.factories import RELAYER_KEY, World, make_relayer_transaction, make_world


@pytest.fixture
def world(db: None, settings, monkeypatch) -> World:
    settings.RELAYER_PRIVATE_KEY = RELAYER_KEY
    world = make_world()
    name = "onchain.management.commands.relayer_status.node_for"
    monkeypatch.setattr(name, lambda _chain_id: world.node)
    return world


def status() -> str:
    output = StringIO()
    call_command("relayer_status", stdout=output)
    return output.getvalue()


def in_flight(world: World, *, key: str = RELAYER_KEY) -> None:
    row = make_relayer_transaction(chain=world.chain)
    relayer.sign_queued(row=row, node=world.node, account=relayer.account_of(key))


def test_it_names_the_key_its_money_and_what_is_spent_today(world: World):
    with_budget = budgets.reserve(chain=world.chain, pools=["safety"], cost_wei=10**15)

    text = status()

    assert with_budget is not None
    assert relayer.account_of(RELAYER_KEY).address in text
    assert "1000 ETH" in text
    assert "0.001 of 0.1 ETH today" in text
    assert "the key can be swapped" in text


def test_while_something_is_in_flight_the_key_stays(world: World):
    in_flight(world)

    with pytest.raises(CommandError, match="Not yet"):
        status()


def test_what_another_key_left_in_flight_is_waited_for_too(world: World):
    in_flight(world, key="0x" + "7b" * 32)

    with pytest.raises(CommandError, match="Not yet"):
        status()


def test_a_node_out_of_reach_is_said(world: World):
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(CommandError, match="did not answer"):
        status()


def test_before_the_chain_was_reached_it_says_so(db):
    with pytest.raises(CommandError, match="not connected"):
        status()
