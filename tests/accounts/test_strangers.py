"""R10: nothing tells a stranger whether a person or a passkey exists."""

from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services, webauthn
from accounts.models import User
from tests.accounts.visitor import Visitor
from tests.soft_authenticator import SoftAuthenticator

pytestmark = [pytest.mark.django_db, pytest.mark.services]


def look(response):
    """Return all of an answer that a stranger can see, without the CSRF token."""
    body = re.sub(rb"\b[A-Za-z0-9]{64}\b", b"", response.content)
    return response.status_code, dict(response.headers), body


def stranger(options):
    """Return an answer by a passkey that nobody registered."""
    return SoftAuthenticator(user_handle=b"\x05" * 64).get(options)


def wrong_signature(passkey):
    other = SoftAuthenticator()
    return lambda options: passkey.get(
        options, signature=other.assert_challenge(b"\x01" * 64).signature
    )


ATTEMPTS = {
    "wrong-signature": wrong_signature,
    "wrong-user-handle": lambda passkey: (
        lambda options: passkey.get(options, user_handle=b"\x05" * 64)
    ),
    "no-user-handle": lambda passkey: (
        lambda options: passkey.get(options, user_handle=None)
    ),
}


def attempt(make, accept=""):
    visitor = Visitor()
    return visitor.finish(
        "authentication", make(visitor.begin("authentication")), accept
    )


@pytest.mark.parametrize("accept", ["", "application/json"], ids=["page", "json"])
@pytest.mark.parametrize("attempted", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_wrong_answer_of_a_known_passkey_looks_like_an_unknown_one(
    attempted, accept, alice
):
    passkey, _ = alice

    known = attempt(attempted(passkey), accept)
    unknown = attempt(stranger, accept)

    assert known.status_code == 403
    assert look(known) == look(unknown)


def test_the_handle_of_another_person_looks_like_an_unknown_passkey(alice, bob):
    passkey, _ = alice
    _, other = bob

    def foreign(options):
        return passkey.get(options, user_handle=other.user_handle)

    assert look(attempt(foreign)) == look(attempt(stranger))


@pytest.mark.parametrize("accept", ["", "application/json"], ids=["page", "json"])
def test_a_removed_passkey_looks_unknown(accept, alice):
    passkey, user = alice
    user.credentials.update(removed_at=timezone.now())

    assert look(attempt(passkey.get, accept)) == look(attempt(stranger, accept))


def test_a_passkey_of_an_inactive_person_looks_unknown(alice):
    passkey, user = alice
    User.objects.filter(pk=user.pk).update(is_active=False)

    assert look(attempt(passkey.get)) == look(attempt(stranger))


def test_a_known_passkey_registered_again_looks_like_a_broken_one(alice):
    passkey, _ = alice
    first, second = Visitor(), Visitor()

    known = first.register(SoftAuthenticator(credential_id=passkey.credential_id))
    broken = second.register(SoftAuthenticator(), fmt="packed", statement={"alg": -7})

    assert known.status_code == 403
    assert look(known) == look(broken)


def test_the_options_are_the_same_for_everybody(alice):
    passkey, _ = alice
    member, anonymous = Visitor(), Visitor()
    member.sign_in(passkey)

    options = [each.begin("authentication") for each in (member, anonymous)]

    for each in options:
        del each["challenge"]
    assert options[0] == options[1]
    assert "allowCredentials" not in options[0]


@pytest.fixture
def work(monkeypatch):
    """Return how many queries and signature checks an attempt costs."""
    checked = []
    real = webauthn.verify_authentication_response

    def counted(**arguments):
        checked.append(arguments)
        return real(**arguments)

    monkeypatch.setattr(webauthn, "verify_authentication_response", counted)

    def measure(make):
        visitor = Visitor()
        answer = make(visitor.begin("authentication"))
        checked.clear()
        with CaptureQueriesContext(connection) as captured:
            response = visitor.finish("authentication", answer)
        assert response.status_code == 403
        return len(captured), len(checked)

    return measure


def test_every_refusal_costs_the_same_queries_and_one_signature_check(work, alice, bob):
    passkey, _ = alice
    removed, owner = bob
    owner.credentials.update(removed_at=timezone.now())

    def foreign(options):
        return passkey.get(options, user_handle=owner.user_handle)

    costs = {
        "unknown": work(stranger),
        "foreign-handle": work(foreign),
        "removed": work(removed.get),
        **{name: work(make(passkey)) for name, make in ATTEMPTS.items()},
    }

    assert set(costs.values()) == {(costs["unknown"][0], 1)}, costs
    assert costs["unknown"][0] > 0


def test_the_key_that_stands_in_for_nobody_opens_nothing(visitor, alice):
    decoy = SoftAuthenticator(
        private_key=ec.derive_private_key(1, ec.SECP256R1()),
        user_handle=services.DECOY.user_handle,
    )
    assert (decoy.x, decoy.y) == (
        services.DECOY.public_key_x,
        services.DECOY.public_key_y,
    )

    response = visitor.sign_in(decoy)

    assert response.status_code == 403
    assert visitor.user_pk() is None
