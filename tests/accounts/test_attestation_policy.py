"""The operator's choice of providers: refused in words, nothing stored, one log line."""

from __future__ import annotations

import uuid

import pytest

from accounts import enrolments
from accounts.models import Credential, User
from tests.accounts.visitor import Visitor, rows
from tests.soft_authenticator import SoftAuthenticator, base64url
from wallet_site import checks

pytestmark = [pytest.mark.django_db, pytest.mark.services]

TAKEN, DENIED, OTHER = (uuid.UUID(int=number) for number in (1, 2, 3))
WORDS = "This site does not accept passkeys of this provider. Nothing was changed."


@pytest.fixture
def of_taken():
    return SoftAuthenticator(aaguid=TAKEN.bytes)


@pytest.fixture
def of_denied():
    return SoftAuthenticator(aaguid=DENIED.bytes)


def test_by_default_nothing_is_asked_and_every_provider_is_taken(visitor, of_denied):
    assert visitor.begin("registration")["attestation"] == "none"

    assert visitor.register(of_denied).status_code == 303


def test_direct_asks_for_attestation_and_takes_it(visitor, of_taken, settings):
    settings.ATTESTATION = "direct"

    assert visitor.begin("registration")["attestation"] == "direct"
    response = visitor.register(of_taken, fmt="packed", statement="self")

    assert response.status_code == 303


def test_a_denied_provider_is_refused_in_words(visitor, of_denied, settings, caplog):
    settings.AAGUID_DENY = [str(DENIED)]
    before = rows()

    response = visitor.register(of_denied)

    assert response.status_code == 403
    assert WORDS in response.content.decode()
    assert rows() == before
    lines = [line for line in caplog.messages if str(DENIED) in line]
    assert lines == [f"refused a passkey by policy: AAGUID {DENIED}"]
    for spelling in (of_denied.credential_id.hex(), base64url(of_denied.credential_id)):
        assert spelling not in caplog.text


def test_the_denied_are_named_in_any_spelling(visitor, of_denied, settings):
    settings.AAGUID_DENY = [DENIED.hex.upper()]

    assert visitor.register(of_denied).status_code == 403


def test_others_are_taken_while_one_is_denied(visitor, of_taken, settings):
    settings.AAGUID_DENY = [str(DENIED)]

    assert visitor.register(of_taken).status_code == 303


@pytest.mark.parametrize("aaguid", [DENIED, uuid.UUID(int=0)], ids=["other", "blank"])
def test_an_allow_list_takes_nobody_else(aaguid, visitor, of_taken, settings):
    settings.AAGUID_ALLOW = [str(TAKEN), str(OTHER)]
    before = rows()

    refused = Visitor().register(SoftAuthenticator(aaguid=aaguid.bytes))

    assert refused.status_code == 403
    assert rows() == before
    assert visitor.register(of_taken).status_code == 303


def test_who_is_both_allowed_and_denied_is_denied(visitor, of_taken, settings):
    settings.AAGUID_ALLOW = settings.AAGUID_DENY = [str(TAKEN)]

    assert visitor.register(of_taken).status_code == 403


def test_the_policy_is_about_new_passkeys_only(visitor, alice, settings):
    passkey, user = alice
    settings.AAGUID_ALLOW = [str(TAKEN)]

    assert visitor.sign_in(passkey).status_code == 303
    assert visitor.user_pk() == user.pk


def test_an_operators_passkey_follows_the_policy_and_the_link_still_works(
    visitor, of_taken, of_denied, settings
):
    settings.AAGUID_DENY = [str(DENIED)]
    token = enrolments.issue(name="operator", replace=False)
    options = visitor.begin("enrolment", token=token)

    refused = visitor.finish("enrolment", of_denied.create(options), token=token)

    assert refused.status_code == 403
    assert WORDS in refused.content.decode()
    assert not User.objects.exists()
    again = visitor.begin("enrolment", token=token)
    assert again["attestation"] == settings.ATTESTATION
    taken = visitor.finish("enrolment", of_taken.create(again), token=token)
    assert taken.status_code == 303


def test_another_passkey_follows_the_policy(visitor, alice, of_denied, settings):
    passkey, user = alice
    visitor.sign_in(passkey)
    settings.AAGUID_DENY = [str(DENIED)]
    options = visitor.begin_addition(passkey)
    before = rows()

    response = visitor.finish("addition", of_denied.create(options))

    assert response.status_code == 403
    assert WORDS in response.content.decode()
    assert rows() == before
    assert Credential.objects.filter(user=user).count() == 1


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("ATTESTATION", "enterprise", "latchkey.E011"),
        ("ATTESTATION", "", "latchkey.E011"),
        ("AAGUID_ALLOW", ["yubikey"], "latchkey.E012"),
        ("AAGUID_DENY", [str(DENIED), "12"], "latchkey.E012"),
        ("TRUSTED_PROXIES", ["proxy.example"], "latchkey.E013"),
        ("TRUSTED_PROXIES", ["10.0.0.1/8"], "latchkey.E013"),
    ],
)
def test_a_start_with_another_word_is_refused(name, value, refusal, settings):
    setattr(settings, name, value)

    assert [error.id for error in checks.safe_start(None)] == [refusal]


def test_a_proxy_in_front_must_be_named(settings):
    settings.TRUST_PROXY_HEADERS = True
    settings.TRUSTED_PROXIES = []

    assert [error.id for error in checks.safe_start(None)] == ["latchkey.E014"]


def test_a_start_with_a_policy_is_accepted(settings):
    settings.ATTESTATION = "direct"
    settings.AAGUID_ALLOW = settings.AAGUID_DENY = [str(TAKEN)]
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "unix"]

    assert checks.safe_start(None) == []
