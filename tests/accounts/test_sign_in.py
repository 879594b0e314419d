"""R14: what signing in makes true in a browser, and what is told of a new one."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.browsers import UNKNOWN, browser_name
from accounts.models import Credential, KnownBrowser, SecurityEvent, Session
from accounts.sign_in import THIS_DEVICE
from tests.accounts.test_session_list import FIREFOX, SAFARI
from tests.accounts.test_sessions import is_signed_in, row_of
from tests.accounts.visitor import Visitor, registered
from tests.processes import PRODUCTION, run
from tests.soft_authenticator import SoftAuthenticator

pytestmark = [pytest.mark.django_db, pytest.mark.services]

NEW_BROWSER = SecurityEvent.Kind.NEW_BROWSER
JSON = "application/json"


def news() -> list[tuple[str, str]]:
    """Return kind and browser of what was told, oldest first."""
    return list(SecurityEvent.objects.order_by("pk").values_list("kind", "browser"))


# --- The session -----------------------------------------------------------------------


def test_the_row_says_who_signed_in_with_what_and_where(alice):
    passkey, user = alice
    visitor = Visitor(headers={"User-Agent": FIREFOX})

    visitor.sign_in(passkey)

    row = row_of(visitor.client)
    assert row.user == user
    assert row.credential == user.credentials.get()
    assert row.browser == "Firefox on Linux"
    assert not row.is_cross_device
    assert visitor.client.session["credential"] == row.credential.pk


@pytest.mark.parametrize(
    ("attachment", "is_cross_device", "is_this_device"),
    [
        ("cross-platform", True, False),
        ("platform", False, True),
        (None, False, False),
        ("odd", False, False),
        (["platform"], False, False),
    ],
)
def test_where_a_passkey_is_is_remembered_as_far_as_it_is_known(
    attachment, is_cross_device, is_this_device, visitor, alice
):
    options = visitor.begin("authentication")
    answer = alice[0].get(options) | {"authenticatorAttachment": attachment}

    assert visitor.finish("authentication", answer).status_code == 303

    row = row_of(visitor.client)
    assert row.is_cross_device is is_cross_device
    known = visitor.client.session[THIS_DEVICE]
    assert known == (row.credential.pk if is_this_device else None)


@pytest.mark.parametrize("attachment", ["platform", "cross-platform", None])
def test_a_new_passkey_is_of_this_device_if_the_browser_says_so(
    attachment, visitor, passkey
):
    answer = passkey.create(visitor.begin("registration"))

    visitor.finish("registration", answer | {"authenticatorAttachment": attachment})

    known = visitor.client.session[THIS_DEVICE]
    made = row_of(visitor.client).credential.pk
    assert known == (made if attachment == "platform" else None)


def test_registering_signs_in_with_the_new_passkey(visitor, passkey):
    visitor.register(passkey)

    assert row_of(visitor.client).credential == Credential.objects.get()


def test_signing_in_again_is_a_new_session_and_ends_the_old_one(visitor, alice):
    visitor.sign_in(alice[0])
    before, stale = row_of(visitor.client), Client()
    stale.cookies["sessionid"] = visitor.client.cookies["sessionid"].value

    visitor.sign_in(alice[0])

    assert row_of(visitor.client).pk != before.pk
    assert not is_signed_in(stale)
    rows = Session.objects.filter(user=alice[1])
    assert rows.exclude(pk=row_of(visitor.client).pk).count() == 1  # the registration's


def test_somebody_else_finds_nothing_of_who_was_here_before(visitor, alice, bob):
    visitor.sign_in(alice[0])
    session = visitor.client.session
    session["draft"] = "hers"
    session.save()

    visitor.sign_in(bob[0])

    assert row_of(visitor.client).user == bob[1]
    assert "draft" not in visitor.client.session


def test_a_key_that_was_planted_before_the_sign_in_opens_nothing_after_it(alice):
    visitor = Visitor()
    visitor.begin("authentication")
    planted = visitor.client.cookies["sessionid"].value

    visitor.sign_in(alice[0])

    thief = Client()
    thief.cookies["sessionid"] = planted
    assert not is_signed_in(thief)


def test_a_removed_passkey_signs_nobody_in_and_says_what_an_unknown_one_does(
    visitor, alice
):
    Credential.objects.update(removed_at=timezone.now())
    removed = visitor.sign_in(alice[0])
    unknown = visitor.sign_in(SoftAuthenticator())

    assert removed.status_code == unknown.status_code == 403
    assert removed.context["error"].message == unknown.context["error"].message
    assert not is_signed_in(visitor.client)


# --- Signing in from a script, in place ------------------------------------------------


def test_a_script_is_told_who_signed_in_and_the_token_of_the_new_session(alice):
    visitor = Visitor(enforce_csrf_checks=True)
    visitor.client.get("/")
    old = visitor.client.cookies["csrftoken"].value
    headers = {"X-CSRFToken": old, "Accept": JSON}
    begin, finish = (reverse(f"authentication-{step}") for step in ("begin", "finish"))
    options = visitor.client.post(begin, headers=headers).json()
    answer = alice[0].get(options)

    response = visitor.client.post(
        finish,
        {"credential": json.dumps(answer)},
        headers=headers | {"HX-Request": "true"},
    )

    assert response.status_code == 200
    assert "HX-Redirect" not in response
    assert response.json()["user"] == alice[1].name
    assert response.json()["seconds_left"] == 900
    assert visitor.client.cookies["csrftoken"].value != old
    fields = {"csrfmiddlewaretoken": response.json()["csrf"]}
    assert visitor.client.post(reverse("session-extend"), fields).status_code == 200


def test_a_script_is_told_in_words_why_a_sign_in_was_refused(visitor, alice):
    options = visitor.begin("authentication")
    answer = SoftAuthenticator().get(options)

    response = visitor.finish("authentication", answer, accept=JSON)

    assert response.status_code == 403
    assert "could not be verified" in response.json()["error"]["message"]


# --- Browsers --------------------------------------------------------------------------


def test_the_first_browser_of_a_person_is_no_news():
    registered()

    assert news() == []
    assert KnownBrowser.objects.count() == 1


def test_another_browser_is_told_once(alice):
    phone = Visitor(headers={"User-Agent": SAFARI})

    phone.sign_in(alice[0])
    phone.sign_in(alice[0])

    assert news() == [(NEW_BROWSER, "Safari on iPhone")]
    assert SecurityEvent.objects.get().user == alice[1]


def test_a_browser_is_known_to_each_person_apart(alice, bob):
    shared = Visitor(headers={"User-Agent": FIREFOX})

    shared.sign_in(alice[0])
    token = shared.client.cookies["browser"].value
    shared.sign_in(bob[0])
    shared.sign_in(alice[0])

    told = SecurityEvent.objects.filter(kind=NEW_BROWSER).order_by("pk")
    assert [event.user for event in told] == [alice[1], bob[1]]
    assert shared.client.cookies["browser"].value == token


def test_only_the_hash_of_a_browsers_cookie_is_stored(visitor, alice):
    visitor.sign_in(alice[0])

    token = visitor.client.cookies["browser"].value
    known = KnownBrowser.objects.get(token_hash=hashlib.sha256(token.encode()).digest())
    assert known.user == alice[1]
    assert len(token) == 43  # 32 bytes


def test_the_cookie_lasts_and_no_script_reads_it(visitor, alice):
    cookie = visitor.sign_in(alice[0]).cookies["browser"]

    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 400 * 24 * 60 * 60
    assert cookie["path"] == "/"


@pytest.mark.parametrize("token", ["", "x", "x" * 44, "é" * 43, "x" * 4_000])
def test_a_cookie_of_another_shape_is_replaced(token, visitor, alice):
    visitor.client.cookies["browser"] = token

    assert visitor.sign_in(alice[0]).status_code == 303

    assert len(visitor.client.cookies["browser"].value) == 43
    assert visitor.client.cookies["browser"].value != token


def test_a_browsers_cookie_signs_nobody_in(visitor, alice):
    visitor.sign_in(alice[0])
    thief = Client()

    thief.cookies["browser"] = visitor.client.cookies["browser"].value

    assert not is_signed_in(thief)


def test_a_refused_sign_in_leaves_no_browser(visitor, alice):
    before = KnownBrowser.objects.count()

    response = visitor.sign_in(SoftAuthenticator())

    assert "browser" not in response.cookies
    assert KnownBrowser.objects.count() == before


def test_with_https_the_cookie_is_bound_to_this_host():
    show = "from wallet_site import settings; print(settings.BROWSER_COOKIE_NAME)"

    assert run(show, **PRODUCTION).stdout.strip() == "__Host-browser"


# --- Names -----------------------------------------------------------------------------

WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) "
)
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        (WINDOWS + "Chrome/150.0.0.0 Safari/537.36", "Chrome on Windows"),
        (WINDOWS + "Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0", "Edge on Windows"),
        (WINDOWS + "Chrome/150.0.0.0 Safari/537.36 OPR/120.0", "Opera on Windows"),
        (MAC + "Version/26.0 Safari/605.1.15", "Safari on Mac"),
        (ANDROID + "Chrome/150.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        (
            ANDROID + "SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (
            SAFARI.replace("Version/26.0", "CriOS/150.0.0.0"),
            "Chrome on iPhone",
        ),
        (SAFARI.replace("Version/26.0", "FxiOS/145.0"), "Firefox on iPhone"),
        (ANDROID + "Chrome/150.0 Instagram 400.0", "Instagram on Android"),
        ("curl/8.16.0", UNKNOWN),
        ("", UNKNOWN),
        ("<script>alert(1)</script> (Linux)", "Unknown browser on Linux"),
    ],
)
def test_a_browser_is_called_what_its_person_calls_it(user_agent, name):
    assert browser_name(user_agent) == name
