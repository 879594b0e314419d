"""R1: every malformed or forged answer is refused and leaves the database unchanged."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from accounts import ceremonies, enrolments
from accounts.models import Ceremony
from tests.accounts import forgeries, hooks
from tests.accounts.visitor import everything, rows
from tests.soft_authenticator import SoftAuthenticator

pytestmark = [pytest.mark.django_db, pytest.mark.services]

REGISTRATIONS = (forgeries.CLIENT_DATA, forgeries.ENVELOPE, forgeries.REGISTRATION)
ASSERTIONS = (forgeries.CLIENT_DATA, forgeries.ENVELOPE, forgeries.ASSERTION)


def assert_refused_in_words(response):
    assert is_refused_in_words(response), response.status_code


def is_refused_in_words(response):
    return (
        400 <= response.status_code < 500
        and "Nothing was changed" in response.content.decode()
        and "accounts/ceremony_failed.html" in [t.name for t in response.templates]
    )


def accepted(tables, kind, begin, finish, *, is_harmless=lambda response: True):
    """Return the forgeries that one door took, or did not refuse as it should."""
    wrong = {}
    before = None
    for table in tables:
        for name, forge in table.items():
            # An answer that names no challenge leaves its ceremony open.
            Ceremony.objects.all().delete()
            passkey, options = begin()
            before = before or everything()
            response = finish(forge(passkey, options, kind))
            is_refused = 400 <= response.status_code < 500
            after = everything()
            if not is_refused or after != before or not is_harmless(response):
                wrong[name] = response.status_code
            before = after
    return wrong


def first_of_each(tables):
    """Return one forgery of each table: for the doors behind the first."""
    return [dict([next(iter(table.items()))]) for table in tables]


EVERY = pytest.mark.parametrize(
    "choose",
    [
        pytest.param(first_of_each, id="one-of-each"),
        pytest.param(list, id="every", marks=pytest.mark.thorough),
    ],
)


def test_no_forged_registration_makes_a_person(visitor):
    def begin():
        return SoftAuthenticator(), visitor.begin("registration")

    def finish(answer):
        return visitor.finish("registration", answer)

    def is_harmless(response):
        return (
            is_refused_in_words(response)
            and hooks.OPENED == []
            and visitor.user_pk() is None
            and Ceremony.objects.count() <= 1
        )

    wrong = accepted(
        REGISTRATIONS, "registration", begin, finish, is_harmless=is_harmless
    )

    assert not wrong, wrong
    new, options = begin()
    assert finish(new.create(options)).status_code == 303


def test_no_forged_assertion_signs_anybody_in(visitor, alice):
    passkey, user = alice

    def begin():
        return passkey, visitor.begin("authentication")

    def finish(answer):
        return visitor.finish("authentication", answer)

    def is_harmless(response):
        return (
            is_refused_in_words(response)
            and visitor.user_pk() is None
            and Ceremony.objects.count() <= 1
        )

    wrong = accepted(
        ASSERTIONS, "authentication", begin, finish, is_harmless=is_harmless
    )

    assert not wrong, wrong
    assert finish(passkey.get(begin()[1])).status_code == 303
    assert visitor.user_pk() == user.pk


# --- The same answers wherever else a passkey answers -------------------------------------


@EVERY
def test_no_forged_assertion_confirms_anything(choose, visitor, alice):
    passkey, _ = alice
    visitor.sign_in(passkey)
    url = reverse("passkey-add")

    def finish(answer):
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return visitor.client.post(url, {"credential": text})

    def begin():
        return passkey, visitor.begin("step-up", action="add-passkey")

    # A step-up names its passkeys, so the answer need not name the person.
    tables = [
        {name: forge for name, forge in table.items() if name != "no user handle"}
        for table in ASSERTIONS
    ]
    wrong = accepted(choose(tables), "authentication", begin, finish)

    assert not wrong, wrong
    assert finish(passkey.get(begin()[1])).status_code == 200


@EVERY
def test_no_forged_registration_adds_a_passkey(choose, visitor, alice):
    passkey, user = alice
    visitor.sign_in(passkey)

    def begin():
        options = ceremonies.begin_addition(
            session_key=visitor.client.session.session_key, user=user, exclude=[]
        )
        return SoftAuthenticator(), options

    def finish(answer):
        return visitor.finish("addition", answer)

    wrong = accepted(choose(REGISTRATIONS), "registration", begin, finish)

    assert not wrong, wrong
    new, options = begin()
    assert finish(new.create(options)).status_code == 303


@EVERY
def test_no_forged_registration_makes_an_operator(choose, visitor):
    token = enrolments.issue(name="operator", replace=False)

    def begin():
        return SoftAuthenticator(), visitor.begin("enrolment", token=token)

    def finish(answer):
        return visitor.finish("enrolment", answer, token=token)

    wrong = accepted(choose(REGISTRATIONS), "registration", begin, finish)

    assert not wrong, wrong
    new, options = begin()
    assert finish(new.create(options)).status_code == 303


# --- What no single answer shows ----------------------------------------------------------


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


@pytest.mark.parametrize(
    "name",
    [
        "the challenge before the type",
        "the origin between type and challenge",
        "another member first",
        "white space after a colon",
        "white space before the first member",
        "a leading line break",
        "a trailing line break",
        "the type escaped",
        "a member's name escaped",
        "the origin escaped",
    ],
)
def test_client_data_that_no_chain_accepts_is_explained_at_registration(
    name, visitor, passkey
):
    answers = []
    for accept in ("", "application/json"):
        options = visitor.begin("registration")
        forged = forgeries.CLIENT_DATA[name](passkey, options, "registration")
        answers.append(visitor.finish("registration", forged, accept))

    page, script = answers
    assert "could never authorise a payment" in page.content.decode()
    assert script.json()["error"]["code"] == "unusable-passkey"


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
