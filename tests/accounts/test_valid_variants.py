"""R1: what real browsers and authenticators send is accepted."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import Credential, User
from tests.accounts import variants
from tests.accounts.visitor import Visitor
from tests.soft_authenticator import BE, UP, UV, SoftAuthenticator

pytestmark = [pytest.mark.django_db, pytest.mark.services]


def table(*tables):
    return pytest.mark.parametrize(
        "make",
        [
            pytest.param(make, id=name.replace(" ", "-"))
            for each in tables
            for name, make in each.items()
        ],
    )


@table(variants.BOTH, variants.REGISTRATION)
def test_a_registration_is_accepted(make, visitor, passkey):
    options = visitor.begin("registration")

    response = visitor.finish("registration", make(passkey, options, "registration"))

    assert response.status_code == 303, response.content
    user = User.objects.get()
    credential = user.credentials.get()
    assert response["Location"] == f"/opened/{credential.pk}"
    assert credential.credential_id == passkey.credential_id
    assert (credential.public_key_x, credential.public_key_y) == (passkey.x, passkey.y)
    assert visitor.user_pk() == user.pk


@table(variants.BOTH, variants.ASSERTION)
def test_an_assertion_is_accepted(make, visitor, alice):
    passkey, user = alice
    options = visitor.begin("authentication")

    response = visitor.finish(
        "authentication", make(passkey, options, "authentication")
    )

    assert response.status_code == 303, response.content
    assert visitor.user_pk() == user.pk


@table(variants.PASSKEYS)
def test_a_passkey_of_any_provider_registers_and_signs_in(make, visitor):
    passkey = SoftAuthenticator(**make)

    assert visitor.register(passkey).status_code == 303
    stored = Credential.objects.get()
    assert stored.credential_id == passkey.credential_id
    assert (stored.public_key_x, stored.public_key_y) == (passkey.x, passkey.y)
    passkey.sign_count += 1
    assert Visitor().sign_in(passkey).status_code == 303


def test_only_known_transports_are_stored(visitor):
    passkey = SoftAuthenticator(transports=["usb", "x" * 999, "nfc", "usb"])

    visitor.register(passkey)

    assert Credential.objects.get().transports == ["nfc", "usb"]


def test_what_the_passkey_says_of_itself_is_stored(visitor):
    aaguid = uuid.uuid4()
    passkey = SoftAuthenticator(aaguid=aaguid.bytes, flags=UP | UV | BE, sign_count=7)

    visitor.register(passkey)

    credential = Credential.objects.get()
    assert credential.aaguid == aaguid
    assert credential.sign_count == 7
    assert (credential.backup_eligible, credential.backup_state) == (True, False)
    assert credential.last_used_at is None


def test_a_sign_in_refreshes_what_may_change(visitor, alice):
    passkey, user = alice
    passkey.flags, passkey.sign_count = UP | UV | BE, 9

    visitor.sign_in(passkey)

    credential = user.credentials.get()
    assert (credential.sign_count, credential.backup_state) == (9, False)
    assert credential.last_used_at is not None
