"""R1: every malformed or forged answer is refused and leaves the database unchanged."""

from __future__ import annotations

import pytest

from accounts.models import Ceremony
from tests.accounts import forgeries, hooks
from tests.accounts.visitor import rows
from tests.soft_authenticator import SoftAuthenticator

pytestmark = [pytest.mark.django_db, pytest.mark.services]


def cases(*tables):
    return pytest.mark.parametrize(
        "forge",
        [
            pytest.param(forge, id=name.replace(" ", "-"))
            for table in tables
            for name, forge in table.items()
        ],
    )


def assert_refused_in_words(response):
    assert 400 <= response.status_code < 500, response.status_code
    assert "Nothing was changed" in response.content.decode()
    assert "accounts/ceremony_failed.html" in [t.name for t in response.templates]


@cases(forgeries.CLIENT_DATA, forgeries.ENVELOPE, forgeries.REGISTRATION)
def test_a_forged_registration_is_refused(forge, visitor, passkey):
    options = visitor.begin("registration")
    before = rows()

    response = visitor.finish("registration", forge(passkey, options, "registration"))

    assert_refused_in_words(response)
    assert rows() == before
    assert hooks.OPENED == []
    assert visitor.user_pk() is None
    assert Ceremony.objects.count() <= 1


@cases(forgeries.CLIENT_DATA, forgeries.ENVELOPE, forgeries.ASSERTION)
def test_a_forged_assertion_is_refused(forge, visitor, alice):
    passkey, _ = alice
    options = visitor.begin("authentication")
    before = rows()

    response = visitor.finish(
        "authentication", forge(passkey, options, "authentication")
    )

    assert_refused_in_words(response)
    assert rows() == before
    assert visitor.user_pk() is None
    assert Ceremony.objects.count() <= 1


def test_a_stored_point_off_the_curve_is_a_refusal(visitor, alice, settings):
    passkey, user = alice
    credential = user.credentials.get()
    credential.delete()
    credential.pk, credential.public_key_y = None, b"\x01" * 32
    credential.save(force_insert=True)

    response = visitor.sign_in(passkey)

    assert response.status_code == 403


def test_a_known_public_key_under_another_id_is_refused(visitor, alice):
    passkey, _ = alice
    twin = SoftAuthenticator(private_key=passkey.private_key)
    before = rows()

    response = visitor.register(twin)

    assert_refused_in_words(response)
    assert rows() == before


def test_a_known_id_with_another_public_key_is_refused(visitor, alice):
    passkey, _ = alice
    before = rows()

    response = visitor.register(SoftAuthenticator(credential_id=passkey.credential_id))

    assert_refused_in_words(response)
    assert rows() == before


def test_the_passkey_of_another_person_does_not_answer_for_this_one(
    visitor, alice, bob
):
    alices, _ = alice
    _, bob_user = bob
    before = rows()

    response = visitor.sign_in(alices, user_handle=bob_user.user_handle)

    assert response.status_code == 403
    assert rows() == before
    assert visitor.user_pk() is None


def test_the_key_of_one_person_does_not_answer_under_the_id_of_another(
    visitor, alice, bob
):
    alices, _ = alice
    bobs, _ = bob
    before = rows()

    response = visitor.sign_in(
        alices, credential_id=bobs.credential_id, user_handle=bobs.user_handle
    )

    assert response.status_code == 403
    assert rows() == before


def test_a_registration_is_no_assertion(visitor, alice):
    passkey, _ = alice
    begun = visitor.begin("authentication")
    user = {"id": "AAAA", "name": "a", "displayName": "a"}
    before = rows()

    response = visitor.finish("authentication", passkey.create(begun | {"user": user}))

    assert response.status_code == 400
    assert rows() == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"origin": "https://evil.example"}, "another site", id="origin"),
        pytest.param({"rp_id": "evil.example"}, "another site", id="relying-party"),
        pytest.param({"flags": 0x59}, "did not report that it checked", id="uv"),
    ],
)
def test_the_words_say_which_check_failed(changes, words, visitor, passkey):
    response = visitor.register(passkey, **changes)

    assert words in response.content.decode()


def test_an_order_that_no_chain_accepts_is_explained(visitor, passkey):
    options = visitor.begin("registration")
    forge = forgeries.CLIENT_DATA["the challenge before the type"]

    response = visitor.finish("registration", forge(passkey, options, "registration"))

    assert "could never authorise a payment" in response.content.decode()


def test_another_kind_of_key_is_named(visitor, passkey):
    response = visitor.register(passkey, cose_key=passkey.cose_key(alg=-35))

    assert "ES256" in response.content.decode()


@pytest.mark.parametrize("name", ["another type", "the other ceremony's type"])
def test_an_answer_of_another_ceremony_is_not_called_an_unusable_key(
    name, visitor, passkey
):
    options = visitor.begin("registration")
    answer = forgeries.CLIENT_DATA[name](passkey, options, "registration")

    response = visitor.finish("registration", answer, accept="application/json")

    assert response.json()["error"]["code"] == "malformed"
