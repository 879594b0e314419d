"""What every test of the services gets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import World, make_world
from tests.fakes import CHAIN_ID
from tests.onchain.services.additions import make_world_of
from tests.soft_authenticator import ORIGIN, RP_ID


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.CHAIN_ID = CHAIN_ID
    settings.WEBAUTHN_RP_ID = RP_ID
    settings.WEBAUTHN_ORIGIN = ORIGIN
    settings.CONFIRMATIONS = 2
    settings.START_BLOCK = None
    settings.DEPLOYMENT_POLICY = "eager"
    settings.PAYMASTER_ADDRESS = "0x700b6A60ce7EaaEA56F065753d8dcB9653dbAD35"
    settings.SPONSOR_DAILY_OPERATIONS = 200
    settings.SPONSOR_DAILY_TOTAL = 10_000
    settings.SPONSOR_DAILY_WEI = 10**17
    settings.SPONSOR_DAILY_TOTAL_WEI = 2 * 10**18
    settings.SPONSOR_OPERATION_GAS = 2_000_000
    settings.SPONSOR_OPERATION_WEI = 10**16
    settings.SPONSOR_SAFETY_WEI = 10**17
    settings.SPONSOR_PROPOSALS = True
    settings.PAYMASTER_URL = ""
    settings.MAX_FEE_PER_GAS = 200 * 10**9


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def payment_world(db: None) -> World:
    """A world of payments, where what a file holds holds for others too."""
    return make_world()


@pytest.fixture(params=["payment", "add-passkey"])
def either_world(request: pytest.FixtureRequest, db: None) -> World:
    """A world of payments, then one of passkeys being added."""
    return make_world_of(request.param)


@pytest.fixture
def transactional_world(transactional_db: None) -> World:
    """A world that threads of their own connections see."""
    return make_world()
