"""Limits that hold for every request, and pages without a database."""

from __future__ import annotations

import io

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.test_headers import CONTENT_SECURITY_POLICY, directives
from tests.wallets import make_wallet

pytestmark = pytest.mark.django_db

LIMITS = {"/sign-out": 256 * 1024, "/passkeys/authentication/begin": 64 * 1024}


# --- Bodies ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", LIMITS)
def test_a_body_at_the_limit_is_read(path):
    body = b"a=" + b"x" * (LIMITS[path] - 2)

    response = Client().post(
        path, body, content_type="application/x-www-form-urlencoded"
    )

    assert response.status_code in {200, 303}


@pytest.mark.parametrize("path", LIMITS)
def test_a_body_over_the_limit_is_refused_unread(path):
    class Unread(io.BytesIO):
        def read(self, *_size):
            raise AssertionError("the body was read")

    response = Client().generic(
        "POST",
        path,
        b"",
        **{"wsgi.input": Unread(), "CONTENT_LENGTH": str(LIMITS[path] + 1)},
    )

    assert response.status_code == 413
    assert f"{LIMITS[path] // 1024} KiB" in response.content.decode()
    assert directives(response) == CONTENT_SECURITY_POLICY
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("length", ["x", "1e3", "9" * 40, "9" * 5_000])
def test_a_length_that_is_no_number_is_refused(length):
    response = Client().generic("POST", "/sign-out", b"", CONTENT_LENGTH=length)

    assert response.status_code == 413


@pytest.mark.parametrize("length", ["", "-1", "0"])
def test_a_length_that_is_missing_or_negative_does_no_harm(length):
    response = Client().generic(
        "POST", "/passkeys/authentication/finish", b"", CONTENT_LENGTH=length
    )

    assert 400 <= response.status_code < 500


@pytest.mark.parametrize("host", ["evil.example", "", "localhost:x", "a b"])
def test_another_host_is_refused_with_guarded_words(host):
    response = Client().get("/", headers={"Host": host})

    assert response.status_code == 400
    assert directives(response) == CONTENT_SECURITY_POLICY
    assert "This request makes no sense" in response.content.decode()


# --- When the database is away ---------------------------------------------------------


def test_without_a_database_the_page_still_says_so(monkeypatch):
    alice = make_wallet()

    def away(*_arguments, **_named):
        raise OperationalError("the database is away")

    alice.client.raise_request_exception = False
    monkeypatch.setattr(connection, "cursor", away)

    response = alice.client.get("/help/")

    assert response.status_code == 500
    assert b"Something broke on our side" in response.content
    assert b"away" not in response.content
    assert directives(response) == CONTENT_SECURITY_POLICY
    assert "no-store" in response["Cache-Control"]
