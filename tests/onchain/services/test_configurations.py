"""What has power over an account beside its owners, noticed and acknowledged (R67)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onchain.models import ForeignConfiguration
from onchain.protocol.allowances import ALLOWANCE_EVENTS, Allowances
from onchain.protocol.configuration import Configuration
from onchain.protocol.deployments import SAFE_4337_MODULE
from onchain.protocol.events import CONFIGURATION_EVENTS
from onchain.protocol.types import Address, Bytes32
from onchain.services import configurations
from tests.factories import World, make_user
from tests.fake_events import Event, word
from tests.fakes import ORDINARY
from tests.onchain.services.allowances import MODULE as ALLOWANCE_MODULE
from tests.onchain.services.allowances import ONCE, TOKEN
from tests.onchain.services.happenings import follow

pytestmark = pytest.mark.django_db
MODULE = Address(b"\xaa" * 20)
OTHER = Address(b"\xbb" * 20)
CHANGES = {
    "module": {"modules": [MODULE, SAFE_4337_MODULE]},
    "guard": {"guard": MODULE},
    "fallback handler": {"fallback_handler": MODULE},
    "singleton": {"singleton": MODULE},
    "missing module": {"modules": []},
}


def configure(world: World, **changes: Any) -> Configuration:
    found = replace(ORDINARY, **changes)
    world.node.account_configurations[world.wallet.safe.address] = found
    return found


def happens(world: World, topic: bytes = CONFIGURATION_EVENTS[0]) -> None:
    """Let the account say that its configuration changed, and follow."""
    account = Address(world.wallet.safe.address)
    world.node.mine(Event(address=account, topics=(Bytes32(topic), word(MODULE))))
    follow(world)


@pytest.fixture
def followed(world: World) -> World:
    configure(world)
    follow(world)
    return world


def test_an_account_as_it_was_set_up_here_has_nothing_foreign(followed: World):
    assert not ForeignConfiguration.objects.exists()


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_on_chain_is_noticed_and_named(followed: World, kind: str):
    configure(followed, **CHANGES[kind])

    happens(followed)

    row = ForeignConfiguration.objects.get(safe=followed.wallet.safe)
    address = SAFE_4337_MODULE if kind == "missing module" else MODULE
    assert row.items == [(kind, address)]


@pytest.mark.parametrize(
    "topic", CONFIGURATION_EVENTS, ids=lambda topic: topic.hex()[:8]
)
def test_every_event_of_an_account_asks_the_chain(followed: World, topic: bytes):
    configure(followed, guard=MODULE)

    happens(followed, topic)

    assert ForeignConfiguration.objects.exists()


def test_an_account_that_hides_its_configuration_says_so(followed: World):
    followed.node.account_configurations[followed.wallet.safe.address] = None

    happens(followed)

    row = ForeignConfiguration.objects.get(safe=followed.wallet.safe)
    assert row.items == [("unreadable", Address(followed.wallet.safe.address))]


def test_what_others_may_spend_is_kept_whole(followed: World):
    most = replace(ONCE, token=TOKEN, amount=2**96 - 1)
    given = Allowances(given=[ONCE, most])
    configure(followed, modules=[ALLOWANCE_MODULE, SAFE_4337_MODULE], allowances=given)

    happens(followed)

    row = ForeignConfiguration.objects.get()
    assert [int(each["amount"]) for each in row.allowances] == [5, 2**96 - 1]
    assert row.has_all_allowances


@pytest.mark.parametrize("topic", ALLOWANCE_EVENTS, ids=lambda topic: topic.hex()[:8])
@pytest.mark.parametrize("emitter", [ALLOWANCE_MODULE, OTHER], ids=["its", "another"])
def test_an_event_of_the_module_asks_the_account(
    followed: World, emitter: Address, topic: Bytes32
):
    account = word(followed.wallet.safe.address)
    asked = followed.node.calls.count("configurations")

    followed.node.mine(Event(address=emitter, topics=(topic, account)))
    follow(followed)

    again = followed.node.calls.count("configurations") - asked
    assert again == (1 if emitter == ALLOWANCE_MODULE else 0)


def test_what_went_away_is_gone(followed: World):
    configure(followed, guard=MODULE)
    happens(followed)
    configure(followed)

    happens(followed)

    assert not ForeignConfiguration.objects.exists()


def test_a_reorg_takes_it_back(followed: World):
    followed.node.mine()
    follow(followed)
    configure(followed, guard=MODULE)
    happens(followed)

    followed.node.reorganise(1)
    configure(followed)
    followed.node.mine()
    follow(followed)

    assert not ForeignConfiguration.objects.exists()


def test_an_acknowledgement_is_of_what_was_seen(followed: World):
    safe, user = followed.wallet.safe, followed.wallet.user
    configure(followed, modules=[MODULE, SAFE_4337_MODULE])
    happens(followed)
    seen = Bytes32(ForeignConfiguration.objects.get().seen_hash)

    assert configurations.unacknowledged(safe=safe, user=user) is not None
    assert configurations.acknowledge(safe=safe, user=user, seen=seen)
    assert configurations.acknowledge(safe=safe, user=user, seen=seen)

    assert configurations.unacknowledged(safe=safe, user=user) is None
    assert configurations.unacknowledged(safe=safe, user=make_user()) is not None
    configure(followed, modules=[OTHER, SAFE_4337_MODULE])
    happens(followed)
    assert configurations.unacknowledged(safe=safe, user=user) is not None
    assert not configurations.acknowledge(safe=safe, user=user, seen=seen)
