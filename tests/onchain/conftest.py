"""What tests of pages get: signed-in people with an account each."""

from __future__ import annotations

import pytest

from tests.wallets import Wallet, make_wallet


@pytest.fixture
def alice(db: None) -> Wallet:
    """A person with a live account and 10 ETH."""
    return make_wallet()


@pytest.fixture
def bob(db: None) -> Wallet:
    """Somebody else."""
    return make_wallet()
