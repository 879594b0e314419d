"""What every test of accounts gets."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.accounts import hooks
from tests.accounts.visitor import Visitor, registered
from tests.soft_authenticator import ORIGIN, RP_ID, SoftAuthenticator


@pytest.fixture(autouse=True)
def site(settings):
    settings.REGISTRATION_HOOK = "tests.accounts.hooks.open_wallet"
    settings.WEBAUTHN_RP_ID = RP_ID
    settings.WEBAUTHN_ORIGIN = ORIGIN
    settings.ALLOWED_HOSTS = ["testserver", "localhost"]
    hooks.OPENED.clear()


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


@pytest.fixture
def passkey() -> SoftAuthenticator:
    return SoftAuthenticator()


@pytest.fixture
def alice(db) -> tuple[SoftAuthenticator, User]:
    return registered()


@pytest.fixture
def bob(db) -> tuple[SoftAuthenticator, User]:
    return registered()
