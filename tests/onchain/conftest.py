"""What tests of pages get: signed-in people with an account each."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import make_operator
from tests.onchain.console import fill_console
from tests.wallets import Wallet, make_wallet


@pytest.fixture
def alice(db: None) -> Wallet:
    """A person with a live account and 10 ETH."""
    return make_wallet()


@pytest.fixture
def bob(db: None) -> Wallet:
    """Somebody else."""
    return make_wallet()


@pytest.fixture
def operator(db: None) -> Client:
    """The browser of a signed-in operator."""
    client = Client()
    client.force_login(make_operator())
    return client


@pytest.fixture
def everything(alice: Wallet) -> Wallet:
    """One row at least of every model that the console shows."""
    fill_console(alice)
    return alice
