from __future__ import annotations

import json

import pytest

from accounts.models import Credential, User
from onchain.models import Safe
from tests.soft_authenticator import SoftAuthenticator

pytestmark = pytest.mark.django_db


def test_before_the_chain_was_verified_nothing_is_made(client):
    options = client.post("/passkeys/registration/begin").json()
    credential = json.dumps(SoftAuthenticator().create(options))

    answer = client.post(
        "/passkeys/registration/finish",
        {"credential": credential},
        headers={"accept": "application/json"},
    )

    assert answer.status_code == 503
    assert "not connected yet" in answer.json()["error"]["message"]
    assert not User.objects.exists()
    assert not Credential.objects.exists()
    assert not Safe.objects.exists()
