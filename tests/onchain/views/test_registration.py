from __future__ import annotations

import json

import pytest

from accounts.models import Credential, User
from onchain.models import Safe
from onchain.services.network_quotas import network_hash
from tests.factories import make_chain
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


# R68
def test_an_account_remembers_a_hash_of_the_network_it_was_opened_from(client):
    make_chain()
    options = client.post("/passkeys/registration/begin").json()
    credential = json.dumps(SoftAuthenticator().create(options))

    answer = client.post(
        "/passkeys/registration/finish",
        {"credential": credential},
        REMOTE_ADDR="192.0.2.77",
    )

    assert answer.status_code < 400
    assert Safe.objects.get().network_hash == network_hash("192.0.2.1")
