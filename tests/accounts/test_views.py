"""The ceremonies over HTTP: methods, CSRF, headers, answers, where one goes next."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Ceremony, User
from tests.accounts.visitor import Visitor, rows
from tests.soft_authenticator import SoftAuthenticator

pytestmark = [pytest.mark.django_db, pytest.mark.services]

URLS = {
    "registration-begin": "/passkeys/registration/begin",
    "registration-finish": "/passkeys/registration/finish",
    "authentication-begin": "/passkeys/authentication/begin",
    "authentication-finish": "/passkeys/authentication/finish",
    "sign-out": "/sign-out",
    "enrolment-begin": "/admin/enrol/begin",
    "enrolment-finish": "/admin/enrol/finish",
}
FINISHES = [name for name in URLS if name.endswith("finish")]


@pytest.mark.parametrize("name", URLS)
def test_the_address_is_what_others_rely_on(name):
    assert reverse(name) == URLS[name]


@pytest.mark.parametrize("method", ["get", "put", "delete", "head", "patch"])
@pytest.mark.parametrize("name", URLS)
def test_only_post_does_anything(name, method, client):
    response = getattr(client, method)(URLS[name])

    assert response.status_code == 405
    assert not Ceremony.objects.exists()


@pytest.mark.parametrize("name", URLS)
def test_a_post_without_its_csrf_token_is_forbidden(name):
    before = rows()

    response = Client(enforce_csrf_checks=True).post(URLS[name])

    assert response.status_code == 403
    assert rows() == before
    assert not Ceremony.objects.exists()


def test_a_begin_with_its_csrf_token_in_a_header_is_answered():
    client = Client(enforce_csrf_checks=True)
    client.get(reverse("admin:login"))
    token = client.cookies["csrftoken"].value

    response = client.post(URLS["authentication-begin"], headers={"X-CSRFToken": token})

    assert response.status_code == 200


@pytest.mark.parametrize("ceremony", ["registration", "authentication"])
def test_options_are_json_that_nobody_keeps(ceremony, client):
    response = client.post(URLS[f"{ceremony}-begin"])

    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]


def test_creation_options_ask_for_a_verified_discoverable_es256_key(visitor):
    options = visitor.begin("registration")

    assert options["rp"] == {"id": "localhost", "name": "Latchkey"}
    assert options["pubKeyCredParams"] == [{"type": "public-key", "alg": -7}]
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["requireResidentKey"] is True
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    assert options["excludeCredentials"] == []
    assert options["timeout"] == 300_000


def test_request_options_ask_for_any_verified_passkey_of_this_site(visitor):
    options = visitor.begin("authentication")

    assert options["rpId"] == "localhost"
    assert options["userVerification"] == "required"
    assert options["timeout"] == 300_000
    assert "allowCredentials" not in options


def test_a_begin_remembers_only_the_hash_of_the_session(visitor):
    visitor.begin("authentication")

    key = visitor.client.session.session_key
    ceremony = Ceremony.objects.get()
    assert key is not None
    assert len(ceremony.session_hash) == 32
    assert key.encode() not in ceremony.session_hash


def test_the_key_of_a_dead_session_is_replaced(visitor):
    visitor.client.cookies["sessionid"] = "a" * 32

    visitor.begin("authentication")

    assert visitor.client.cookies["sessionid"].value != "a" * 32


@pytest.mark.parametrize("name", FINISHES)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"", "application/x-www-form-urlencoded", id="nothing"),
        pytest.param(b"credential=", "application/x-www-form-urlencoded", id="empty"),
        pytest.param(b"next=/", "application/x-www-form-urlencoded", id="no-field"),
        pytest.param(
            b"credential=%ff%fe%00", "application/x-www-form-urlencoded", id="bytes"
        ),
        pytest.param(
            b"credential=\xff\xfe", "application/x-www-form-urlencoded", id="raw-bytes"
        ),
        pytest.param(
            b"credential=%7B%7D&credential=1",
            "application/x-www-form-urlencoded",
            id="twice",
        ),
        pytest.param(b'{"credential": {}}', "application/json", id="a-json-body"),
        pytest.param(b"credential={}", "text/plain", id="plain-text"),
        pytest.param(b"--x\r\n", "multipart/form-data; boundary=x", id="multipart"),
        pytest.param(b"x", "multipart/form-data", id="no-boundary"),
        pytest.param(
            b"&".join(b"a%d=1" % number for number in range(2_000)),
            "application/x-www-form-urlencoded",
            id="2,000-fields",
        ),
        pytest.param(b"", "", id="no-content-type"),
    ],
)
def test_a_bad_body_is_a_bad_request(name, body, content_type, client):
    before = rows()

    response = client.post(URLS[name], body, content_type=content_type)

    assert 400 <= response.status_code < 500
    assert rows() == before


@pytest.mark.parametrize("name", FINISHES)
def test_a_body_over_the_limit_is_refused_quickly(name, client):
    response = client.post(URLS[name], {"credential": "x" * 300_000})

    assert response.status_code in {400, 413}
    assert "too large" in response.content.decode()


def test_a_body_over_64_kib_is_refused_on_ceremonies(client):
    response = client.post(URLS["authentication-finish"], {"credential": "x" * 66_000})

    assert response.status_code == 413


def test_a_script_gets_a_refusal_as_json(visitor, alice):
    passkey, _ = alice
    options = visitor.begin("authentication")

    response = visitor.finish(
        "authentication", passkey.get(options, rp_id="a"), accept="application/json"
    )

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "wrong-site"
    assert "another site" in response.json()["error"]["message"]
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("accept", ["", "*/*", "text/html,application/json;q=0.5"])
def test_a_browser_gets_a_refusal_as_a_page_with_a_way_back(accept, visitor):
    response = visitor.finish("authentication", "{}", accept=accept)

    assert response.status_code == 400
    assert f'href="{reverse("home")}"' in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_refusals_never_show_what_was_posted(visitor):
    response = visitor.finish("authentication", "<script>alert(1)</script>")

    assert "alert(1)" not in response.content.decode()


def test_a_registration_goes_where_the_hook_says(visitor, passkey):
    response = visitor.register(passkey)

    assert response.status_code == 303
    assert response["Location"].startswith("/opened/")


def test_a_sign_in_goes_home(visitor, alice):
    response = visitor.sign_in(alice[0])

    assert response.status_code == 303
    assert response["Location"] == reverse("home")


def test_htmx_is_told_to_leave_the_page(visitor, alice):
    passkey, _ = alice
    assertion = passkey.get(visitor.begin("authentication"))

    response = visitor.client.post(
        URLS["authentication-finish"],
        {"credential": json.dumps(assertion)},
        headers={"HX-Request": "true"},
    )

    assert response.status_code == 200
    assert response["HX-Redirect"] == reverse("home")


@pytest.mark.parametrize("path", ["/safes/1/0x/", "/a?b=c", "/admin/accounts/user/"])
def test_a_local_next_is_followed(path, visitor, alice):
    passkey, _ = alice
    assertion = passkey.get(visitor.begin("authentication"))

    response = visitor.finish("authentication", assertion, next=path)

    assert response["Location"] == path


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http://testserver/",
        "safes/",
        "/" + "a" * 600,
        "/a\r\nSet-Cookie: b=c",
        "\t//evil.example",
    ],
)
def test_any_other_next_is_ignored(path, visitor, alice):
    passkey, _ = alice
    assertion = passkey.get(visitor.begin("authentication"))

    response = visitor.finish("authentication", assertion, next=path)

    assert response.status_code == 303
    assert response["Location"] == reverse("home")


def test_a_nul_in_next_is_a_bad_request(visitor, alice):
    passkey, _ = alice
    assertion = passkey.get(visitor.begin("authentication"))

    response = visitor.finish("authentication", assertion, next="/\0")

    assert response.status_code == 400


def test_signing_out_ends_the_session_and_goes_home(visitor, alice):
    visitor.sign_in(alice[0])
    key = visitor.client.session.session_key

    response = visitor.client.post(URLS["sign-out"])

    assert (response.status_code, response["Location"]) == (303, reverse("home"))
    stale = Visitor()
    stale.client.cookies["sessionid"] = key
    assert stale.user_pk() is None


def test_a_stranger_may_sign_out_too(client):
    assert client.post(URLS["sign-out"]).status_code == 303


def test_a_new_epoch_ends_every_session(visitor, alice):
    passkey, user = alice
    visitor.sign_in(passkey)
    User.objects.filter(pk=user.pk).update(session_epoch=user.session_epoch + 1)

    visitor.client.post(URLS["registration-begin"])

    assert visitor.user_pk() is None


def test_one_passkey_opens_the_same_person_in_any_visitor(alice):
    passkey, user = alice
    visitors = [Visitor() for _ in range(3)]

    for visitor in visitors:
        visitor.sign_in(passkey)

    assert {visitor.user_pk() for visitor in visitors} == {user.pk}


def test_a_signed_in_person_may_sign_in_as_another(visitor, alice, bob):
    visitor.sign_in(alice[0])

    visitor.sign_in(bob[0])

    assert visitor.user_pk() == bob[1].pk


def test_nothing_posted_makes_a_person_staff(visitor):
    options = visitor.begin("registration", is_staff="on", is_superuser="on")
    attestation = SoftAuthenticator().create(options)

    visitor.finish("registration", attestation, is_staff="on", token="a")

    assert not User.objects.get().is_staff
