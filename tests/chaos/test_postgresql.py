"""PostgreSQL falls and comes back while operations are under way (security.md R51).

Collected where the site is set to PostgreSQL; the server is the test's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.db import connections

from tests.chaos.conftest import ROUNDS
from tests.chaos.fault_proxy import late
from tests.chaos.stores import PostgresServer
from tests.chaos.world import Ground, World
from wallet_site import stores

SEND = "eth_sendUserOperation"
BETWEEN_SECONDS = 0.5  # from asking the bundler to its answer, and to the fall


@pytest.fixture
def server(
    world_on: Callable[[Ground], World],
) -> Iterator[PostgresServer]:
    """A cluster of its own, with the site's tables, in the place of the tests' database."""
    with PostgresServer.running() as server:
        own = connections["default"].settings_dict
        usual = dict(own)
        connections.close_all()
        own.update(stores.database(server.database("chaos")))
        try:
            call_command("migrate", verbosity=0, interactive=False)
            yield server
        finally:
            connections.close_all()
            own.clear()
            own.update(usual)


def test_a_database_that_falls_loses_nothing(
    server: PostgresServer,
    shared_ground: Ground,
    world_on: Callable[[Ground], World],
):
    with world_on(shared_ground) as world:
        world.start("follower", "beat", "worker")
        people = world.live_accounts(5)
        for _round in range(ROUNDS):
            keys = world.sign_payments(people, each=4)
            world.open_accounts(3)
            world.bundler_proxy.plan(SEND, late(BETWEEN_SECONDS), times=len(keys))
            world.submit(keys)
            time.sleep(BETWEEN_SECONDS)

            server.restart()

            world.tally.kills += 1
            connections.close_all()
            world.settle()
            world.bundler_proxy.heal()
