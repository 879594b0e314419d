"""R38: limits on ceremonies count for who sends them, and lock out nobody else. R10:
they look the same whether or not a passkey exists."""

from __future__ import annotations

import uuid

import pytest
from django.core.cache import cache
from django.urls import reverse

from accounts import enrolments, rate_limits
from accounts.models import Ceremony, Credential
from tests.accounts.visitor import Visitor, rows
from tests.soft_authenticator import SoftAuthenticator
from tests.threads import all_at_once

pytestmark = [pytest.mark.django_db, pytest.mark.services]

LIMIT = 3
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def own_counts(settings, monkeypatch):
    """Counts of this test alone, in a minute that does not end meanwhile."""
    place = settings.CACHES["default"] | {"KEY_PREFIX": uuid.uuid4().hex}
    settings.CACHES = {"default": place}
    monkeypatch.setattr(rate_limits, "_now", lambda: 1_000_040)


@pytest.fixture
def few(alice, bob, settings):
    settings.CEREMONY_BEGINS_PER_MINUTE = LIMIT
    settings.CEREMONY_FAILURES_PER_MINUTE = LIMIT


def visitor_at(address):
    return Visitor(REMOTE_ADDR=address)


def begin(visitor, ceremony="authentication", **fields):
    return visitor.client.post(reverse(f"{ceremony}-begin"), fields)


def signed_in(passkey, address=HOME):
    visitor = visitor_at(address)
    assert visitor.sign_in(passkey).status_code == 303
    return visitor


def fail(visitor, passkey):
    options = visitor.begin("authentication")
    wrong = passkey.get(options, user_handle=b"\x05" * 64)
    return visitor.finish("authentication", wrong)


def begin_fields(ceremony):
    if ceremony == "enrolment":
        return {"token": enrolments.issue(name="operator", replace=True)}
    return {}


@pytest.mark.parametrize("ceremony", ["registration", "authentication", "enrolment"])
def test_an_address_begins_so_many_in_a_minute(ceremony, few):
    visitor, fields = visitor_at(HOME), begin_fields(ceremony)
    for _ in range(LIMIT):
        assert begin(visitor, ceremony, **fields).status_code == 200
    open_ones = Ceremony.objects.count()

    response = begin(visitor_at(HOME), ceremony, **fields)

    assert response.status_code == 429
    assert response["Retry-After"] == "40"
    assert response["Cache-Control"] == "no-store"
    error = response.json()["error"]
    assert error["code"] == "too-many"
    assert "Wait 40 seconds" in error["message"]
    assert Ceremony.objects.count() == open_ones
    assert begin(visitor_at(ELSEWHERE), ceremony, **fields).status_code == 200


def test_the_next_minute_begins_anew(few, monkeypatch):
    for _ in range(LIMIT + 1):
        response = begin(visitor_at(HOME))
    assert response.status_code == 429

    monkeypatch.setattr(rate_limits, "_now", lambda: 1_000_080)

    assert begin(visitor_at(HOME)).status_code == 200


def test_strangers_at_the_same_address_do_not_use_up_a_persons_limit(few, alice):
    person = signed_in(alice[0])
    for _ in range(LIMIT):
        begin(visitor_at(HOME))
    assert begin(visitor_at(HOME)).status_code == 429

    assert begin(person).status_code == 200


def test_a_person_has_one_limit_from_everywhere_and_nobody_else_uses_it(
    few, alice, bob
):
    at_home, away = signed_in(alice[0]), signed_in(alice[0], ELSEWHERE)
    fields = {"action": "add-passkey"}
    for visitor in (at_home, away, at_home):
        assert begin(visitor, "step-up", **fields).status_code == 200

    assert begin(away, "step-up", **fields).status_code == 429
    assert begin(signed_in(bob[0]), "step-up", **fields).status_code == 200


def test_an_address_answers_so_many_in_a_minute(few):
    visitor = visitor_at(HOME)
    for _ in range(LIMIT):
        other = SoftAuthenticator(user_handle=b"\x05" * 64)
        answer = other.get({"challenge": "AAAA"})
        assert visitor.finish("authentication", answer).status_code == 410
    before = rows()

    response = visitor.finish("authentication", answer)

    assert response.status_code == 429
    assert response["Retry-After"] == "40"
    assert "Wait 40 seconds" in response.content.decode()
    assert "accounts/ceremony_failed.html" in [t.name for t in response.templates]
    assert rows() == before


@pytest.mark.parametrize("ceremony", ["registration", "authentication", "enrolment"])
def test_unreadable_answers_count_as_well(ceremony, few):
    visitor = visitor_at(HOME)

    statuses = [visitor.finish(ceremony, "junk").status_code for _ in range(LIMIT + 1)]

    refused = 410 if ceremony == "enrolment" else 400
    assert statuses == [refused] * LIMIT + [429]


def test_failures_for_a_passkey_lock_out_nobody_at_another_address(
    few, alice, settings
):
    settings.CEREMONY_BEGINS_PER_MINUTE = 100
    passkey, user = alice
    mischief = visitor_at(ELSEWHERE)
    for _ in range(LIMIT):
        assert fail(mischief, passkey).status_code == 403
    assert fail(mischief, passkey).status_code == 429

    owner = visitor_at(HOME)

    assert owner.sign_in(passkey).status_code == 303
    assert owner.user_pk() == user.pk


def test_failures_for_one_passkey_do_not_count_for_another(few, alice, bob, settings):
    settings.CEREMONY_BEGINS_PER_MINUTE = 100
    for _ in range(LIMIT + 1):
        response = fail(visitor_at(HOME), alice[0])
    assert response.status_code == 429

    assert visitor_at(HOME).sign_in(bob[0]).status_code == 303


def test_a_refused_answer_does_not_spend_its_challenge(few, alice, settings):
    settings.CEREMONY_BEGINS_PER_MINUTE = 100
    passkey, _ = alice
    visitor = visitor_at(HOME)
    answer = passkey.get(visitor.begin("authentication"))
    for _ in range(LIMIT):
        fail(visitor, passkey)
    assert visitor.finish("authentication", answer).status_code == 429

    settings.CEREMONY_FAILURES_PER_MINUTE = 100

    assert visitor.finish("authentication", answer).status_code == 303


def test_answers_that_hold_are_no_failures(few, alice, settings):
    settings.CEREMONY_BEGINS_PER_MINUTE = 100

    statuses = [signed_in(alice[0]) for _ in range(LIMIT + 2)]

    assert len(statuses) == LIMIT + 2


def test_a_known_and_an_unknown_passkey_are_limited_alike(few, alice, settings):
    settings.CEREMONY_BEGINS_PER_MINUTE = 100
    known, unknown = alice[0], SoftAuthenticator(user_handle=b"\x05" * 64)

    answers = [
        [
            (response.status_code, response.get("Retry-After"))
            for response in (fail(visitor_at(HOME), passkey) for _ in range(LIMIT + 2))
        ]
        for passkey in (known, unknown)
    ]

    assert answers[0] == answers[1]
    assert answers[0][LIMIT] == (429, "40")


def test_a_step_up_is_limited_like_a_sign_in(few, alice, settings):
    settings.CEREMONY_BEGINS_PER_MINUTE = 100
    settings.CEREMONY_FAILURES_PER_MINUTE = LIMIT
    passkey, _ = alice
    visitor = signed_in(passkey)
    wrong = {"credential": "junk"}
    url = reverse("passkey-add")

    statuses = [visitor.client.post(url, wrong).status_code for _ in range(LIMIT + 1)]

    assert statuses == [400] * LIMIT + [429]


def test_an_addition_is_limited_like_a_registration(few, alice, settings):
    settings.CEREMONY_BEGINS_PER_MINUTE = 100
    visitor = signed_in(alice[0])

    statuses = [
        visitor.finish("addition", "junk").status_code for _ in range(LIMIT + 1)
    ]

    assert statuses == [400] * LIMIT + [429]
    assert Credential.objects.filter(user=alice[1]).count() == 1


@pytest.mark.parametrize(
    "backend",
    [
        "django.core.cache.backends.redis.RedisCache",
        "tests.accounts.test_rate_limits.Gone",
    ],
)
def test_a_cache_that_is_away_limits_nobody_and_is_logged(
    backend, few, settings, caplog
):
    nobody = {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": nobody}

    statuses = {begin(visitor_at(HOME)).status_code for _ in range(LIMIT + 2)}

    assert statuses == {200}
    assert "rate limits do not count" in caplog.text
    assert HOME not in caplog.text


def Gone(*_arguments):
    raise OSError("no cache")


def test_the_cache_holds_no_addresses(few):
    begin(visitor_at(HOME))

    keys = str(getattr(cache, "_cache", None))

    assert HOME not in keys


def test_counts_of_one_moment_add_up():
    counts = all_at_once(20, lambda: rate_limits._count("begin", "somebody"))

    assert sorted(counts) == list(range(1, 21))
