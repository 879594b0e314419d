"""Headers that guard every address of the site, taken from the urlconf itself."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests.factories import make_operator
from tests.test_urls import ADMIN_NAMES, NAMING, OWNED, PERSONAL, PUBLIC, own_url
from tests.undoing import undone
from tests.wallets import Wallet, make_wallet

pytestmark = pytest.mark.django_db

CONTENT_SECURITY_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


@pytest.fixture
def alice() -> Wallet:
    return make_wallet()


def directives(response) -> dict[str, str]:
    header = response["Content-Security-Policy"]
    pairs = (part.strip().partition(" ") for part in header.split(";") if part.strip())
    return {name: value for name, _space, value in pairs}


def assert_guarded(response) -> None:
    assert directives(response) == CONTENT_SECURITY_POLICY
    permissions = response["Permissions-Policy"]
    assert "publickey-credentials-create=(self)" in permissions
    assert "publickey-credentials-get=(self)" in permissions
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert response["X-Frame-Options"] == "DENY"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


def admin_url(name: str) -> str:
    """Return an address of the console with whatever arguments it takes."""
    if name == "admin:None":  # the pages that are gone, and what is no page at all
        return "/admin/password_change/"
    for arguments in ([], ["1"], ["accounts"], ["1", "1"]):
        with suppress(NoReverseMatch):
            return reverse(name, args=arguments)
    raise AssertionError(f"{name} takes other arguments")


@pytest.mark.thorough
def test_a_page_of_a_signed_in_person_is_guarded_and_kept_by_nobody(alice, subtests):
    for name in OWNED:
        with subtests.test(name), undone():
            response = alice.client.generic(OWNED[name], own_url(alice, name))

            assert_guarded(response)
            assert "no-store" in response["Cache-Control"]
            assert "Integrity-Policy" in response


def test_a_page_of_ones_own_is_guarded_and_kept_by_nobody(alice, subtests):
    for name in PERSONAL:
        with subtests.test(name), undone():
            response = alice.client.generic(PERSONAL[name], reverse(name))

            assert_guarded(response)
            assert "no-store" in response["Cache-Control"]


def test_an_answer_to_a_stranger_is_guarded(alice, subtests):
    for name in OWNED:
        with subtests.test(name), undone():
            assert_guarded(Client().generic(OWNED[name], own_url(alice, name)))


def test_a_public_page_is_guarded(alice, subtests):
    for name, (method, status) in PUBLIC.items():
        with subtests.test(name), undone():
            response = Client().generic(method, reverse(name, args=NAMING.get(name)))

            assert response.status_code == status
            assert_guarded(response)


@pytest.mark.thorough
def test_a_page_of_the_console_is_guarded_and_kept_by_nobody(subtests):
    operator = make_operator()
    for name in ADMIN_NAMES:
        with subtests.test(name), undone():
            client = Client()  # of its own: one of the pages signs out
            client.force_login(operator)

            response = client.get(admin_url(name))

            assert_guarded(response)
            assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["/nothing", "/admin/nothing", "/safes/", "/static/x"])
def test_a_missing_page_is_guarded(path):
    response = Client().get(path)

    assert response.status_code in {302, 404}
    assert_guarded(response)


def test_a_failing_page_is_guarded(alice, monkeypatch):
    def fail(*_arguments, **_named):
        raise RuntimeError("a bug")

    monkeypatch.setattr("onchain.views.safes.safes.queue_place", fail)
    alice.client.raise_request_exception = False

    response = alice.get("safe-detail")

    assert response.status_code == 500
    assert_guarded(response)
    assert "no-store" in response["Cache-Control"]
    assert b"a bug" not in response.content


@pytest.mark.parametrize("path", ["/help/", "/health/", "/metrics", "/nothing"])
def test_a_stranger_who_only_reads_gets_no_cookie(path, alice):
    assert Client().get(path).cookies == {}
