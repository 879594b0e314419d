"""R14: a session's key, its two limits, and what moves them; R28: rows that changed."""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import UpdateError
from django.db import OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import sessions
from accounts.models import KnownBrowser, Session, User
from accounts.session_store import STRANGER_LIFE, TOUCH_EVERY, SessionStore
from tests.accounts.visitor import Visitor
from tests.factories import make_operator, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.services]

HTMX = {"HX-Request": "true"}
HOURS_12 = timedelta(hours=12)
A_SECOND = timedelta(seconds=1)


def signed_in(user: User | None = None) -> Client:
    client = Client()
    client.force_login(user or make_user())
    return client


def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def row_of(client: Client) -> Session:
    return Session.objects.get(
        key_hash=hashlib.sha256(key_of(client).encode()).digest()
    )


def age(client: Client, seconds: float, *, column: str = "last_seen_at") -> datetime:
    """Move a time of the session's row into the past; return what it is now."""
    moment = timezone.now() - timedelta(seconds=seconds)
    Session.objects.filter(pk=row_of(client).pk).update(**{column: moment})
    return getattr(row_of(client), column)


def is_signed_in(client: Client, **headers: str) -> bool:
    response = client.get("/help/", headers=headers)
    return bool(response.context["user"].is_authenticated)


def near(moment: datetime, expected: datetime) -> bool:
    return abs(moment - expected) < timedelta(seconds=20)


# --- What is stored --------------------------------------------------------------------


def test_a_copy_of_the_table_signs_nobody_in():
    client = signed_in()
    (row,) = Session.objects.values()
    thief = Client()

    for value in (row["key_hash"].hex(), str(row["id"]), row["data"]):
        thief.cookies["sessionid"] = value
        assert not is_signed_in(thief)
    assert key_of(client) not in " ".join(str(value) for value in row.values())
    assert is_signed_in(client)


def test_data_of_another_session_opens_nothing_in_this_one():
    alice, mallory = signed_in(), signed_in()
    theirs = row_of(alice)

    stolen = {"data": theirs.data, "user": theirs.user}
    Session.objects.filter(pk=row_of(mallory).pk).update(**stolen)

    assert not is_signed_in(mallory)
    assert is_signed_in(alice)


def test_a_row_that_was_given_to_somebody_else_opens_nothing():
    client = signed_in()

    Session.objects.filter(pk=row_of(client).pk).update(user=make_user())

    assert not is_signed_in(client)


def test_a_row_says_whose_session_it_is_however_somebody_signed_in(visitor, alice):
    _passkey, user = alice
    visitor.sign_in(alice[0])

    assert row_of(visitor.client).user == user
    assert row_of(signed_in(user)).user == user


# --- The absolute limit ----------------------------------------------------------------


@pytest.mark.parametrize("make", [make_user, make_operator])
def test_a_session_ends_twelve_hours_after_the_sign_in(make):
    client = signed_in(make())

    row = row_of(client)
    assert near(row.expires_at, timezone.now() + HOURS_12)
    assert near(row.signed_in_at, timezone.now())
    Session.objects.update(expires_at=timezone.now() - A_SECOND)
    assert not is_signed_in(client)


def test_a_strangers_session_lasts_an_hour_and_has_no_idle_limit(visitor):
    visitor.begin("authentication")

    row = row_of(visitor.client)
    assert row.user is row.last_seen_at is None
    assert near(row.expires_at, timezone.now() + STRANGER_LIFE)
    cookie = visitor.client.cookies["sessionid"]
    assert abs(int(cookie["max-age"]) - STRANGER_LIFE.total_seconds()) < 20


def test_saving_and_using_a_session_never_extends_the_absolute_limit():
    client = signed_in()
    ends = timezone.now() + timedelta(minutes=5)
    Session.objects.update(expires_at=ends)
    age(client, 120)

    client.post(reverse("session-end-others"))  # leaves a message: data is saved

    assert Session.objects.get().expires_at == ends
    assert client.session["_messages"]
    assert int(client.cookies["sessionid"]["max-age"]) <= 300


def test_a_new_key_keeps_the_limits_and_what_is_known():
    client = signed_in()
    Session.objects.update(browser="Firefox on Linux")
    (before,) = Session.objects.values()
    store = SessionStore(key_of(client))

    store.cycle_key()

    (after,) = Session.objects.values()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"key_hash", "data"}
    assert not is_signed_in(client)
    client.cookies["sessionid"] = store.session_key
    assert is_signed_in(client)


# --- The idle limit --------------------------------------------------------------------


@pytest.mark.parametrize("make", [make_user, make_operator])
def test_a_session_without_use_ends(make, settings):
    client = signed_in(make())
    age(client, settings.SESSION_IDLE_SECONDS - 5)
    assert is_signed_in(client, **HTMX)
    age(client, settings.SESSION_IDLE_SECONDS + 1)

    assert not is_signed_in(client)
    assert not is_signed_in(client)


def test_the_idle_limit_is_a_setting(settings):
    settings.SESSION_IDLE_SECONDS = 60
    client = signed_in()

    age(client, 61)

    assert not is_signed_in(client)


def test_a_request_of_a_person_moves_the_idle_limit():
    client = signed_in()
    age(client, 120)

    client.get("/help/")

    assert near(row_of(client).last_seen_at, timezone.now())


def writes(queries: CaptureQueriesContext) -> list[str]:
    return [q["sql"] for q in queries if not q["sql"].startswith("SELECT")]


def test_being_here_is_written_at_most_once_in_half_a_minute():
    client = signed_in()
    before = age(client, TOUCH_EVERY.total_seconds() - 5)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get("/help/")
        client.get("/help/")

    assert writes(queries) == []
    assert row_of(client).last_seen_at == before
    age(client, TOUCH_EVERY.total_seconds() + 1)
    with CaptureQueriesContext(connection) as queries:
        client.get("/help/")
        client.get("/help/")
    (written,) = writes(queries)
    assert written.startswith('UPDATE "accounts_session" SET "last_seen_at"')


def test_a_session_costs_one_query_to_load():
    client = signed_in()

    with CaptureQueriesContext(connection) as queries:
        client.get("/help/")

    about = [q["sql"] for q in queries if "accounts_session" in q["sql"]]
    assert len(about) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_polling_neither_extends_nor_writes(method):
    client = signed_in()
    before = age(client, 300)

    with CaptureQueriesContext(connection) as queries:
        response = client.generic(method, "/help/", headers=HTMX)

    assert response.status_code == 200
    assert writes(queries) == []
    assert row_of(client).last_seen_at == before


def test_what_a_person_posts_by_htmx_is_use():
    client = signed_in()
    age(client, 300)

    client.post(reverse("session-end-others"), headers=HTMX)

    assert near(row_of(client).last_seen_at, timezone.now())


def test_asking_how_long_it_holds_does_not_make_it_last_longer():
    client = signed_in()
    before = age(client, 300)

    answer = client.get(reverse("session"))

    assert 595 <= answer.json()["seconds_left"] <= 600
    assert row_of(client).last_seen_at == before


def test_staying_signed_in_starts_the_idle_limit_anew():
    client = signed_in()
    age(client, 880)

    answer = client.post(reverse("session-extend"))

    assert 890 <= answer.json()["seconds_left"] <= 900
    assert near(row_of(client).last_seen_at, timezone.now())


def test_no_answer_promises_more_than_the_absolute_limit():
    client = signed_in()
    Session.objects.update(expires_at=timezone.now() + timedelta(seconds=90))

    assert client.post(reverse("session-extend")).json()["seconds_left"] <= 90


def test_a_dead_session_is_not_revived_by_its_next_request(settings):
    client = signed_in()
    before = age(client, settings.SESSION_IDLE_SECONDS + 1)

    response = client.post(reverse("session-extend"))

    assert response.status_code == 401
    assert Session.objects.get().last_seen_at == before


# --- What a script asks ----------------------------------------------------------------


def test_a_script_learns_who_is_signed_in_and_gets_a_token_that_works(visitor, alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice[1])

    answer = client.get(reverse("session"))

    assert answer.json()["user"] == alice[1].name
    assert answer["Cache-Control"] == "no-store"
    token = answer.json()["csrf"]
    fields = {"csrfmiddlewaretoken": token}
    assert client.post(reverse("session-extend"), fields).status_code == 200


def test_a_stranger_learns_that_nobody_is_signed_in_and_gets_no_cookie():
    answer = Client().get(reverse("session"))

    assert answer.status_code == 401
    assert answer.json() == {"user": None, "seconds_left": 0, "csrf": ""}
    assert answer.cookies == {}


def test_who_was_signed_in_gets_the_token_for_signing_in_again():
    client = signed_in()
    client.get(reverse("session"))
    Session.objects.all().delete()

    answer = client.get(reverse("session"))

    assert answer.status_code == 401
    assert answer.json()["csrf"] != ""


# --- Ends ------------------------------------------------------------------------------


def test_only_what_is_over_is_swept(settings, visitor):
    over, idle, running = signed_in(), signed_in(), signed_in()
    visitor.begin("authentication")
    age(over, 1, column="expires_at")
    age(idle, settings.SESSION_IDLE_SECONDS + 1)
    kept = {row_of(running).pk, row_of(visitor.client).pk}

    for _ in range(2):
        sessions.sweep_expired()

    assert set(Session.objects.values_list("pk", flat=True)) == kept


def test_browsers_whose_cookie_is_gone_are_forgotten():
    user, now = make_user(), timezone.now()
    for number, days in enumerate((399, 401)):
        row = KnownBrowser.objects.create(user=user, token_hash=bytes([number]) * 32)
        seen = now - timedelta(days=days)
        KnownBrowser.objects.filter(pk=row.pk).update(last_seen_at=seen)

    sessions.sweep_expired()

    assert KnownBrowser.objects.get().token_hash[0] == 0


def test_a_session_that_was_ended_meanwhile_is_not_written_back():
    client = signed_in()
    store = SessionStore(key_of(client))
    store["word"] = "late"
    Session.objects.all().delete()

    with pytest.raises(UpdateError):
        store.save()

    assert not Session.objects.exists()


def test_a_key_is_not_renewed_for_a_session_that_was_ended_meanwhile():
    user = make_user()
    store = SessionStore(key_of(signed_in(user)))
    assert store["_auth_user_id"] == str(user.pk)
    Session.objects.all().delete()

    store.cycle_key()

    assert Session.objects.get().user is None
    assert "_auth_user_id" not in SessionStore(store.session_key)


def test_signing_out_deletes_the_row():
    client = signed_in()

    client.post(reverse("sign-out"))

    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_asynchronous_calls_do_the_same():
    async def walk(user: User) -> tuple[Any, ...]:
        store = SessionStore()
        await store.aset("_auth_user_id", str(user.pk))
        await store.asave()
        first = store.session_key
        age_before = await store.aget_expiry_age()
        await store.acycle_key()
        found = await SessionStore(store.session_key).aget("_auth_user_id")
        gone = await store.aexists(first)
        await SessionStore.aclear_expired()
        await store.aflush()
        is_left = await Session.objects.aexists()
        await sync_to_async(connections.close_all)()  # of the thread that did it
        return age_before, found, gone, is_left

    user = make_user()

    age_before, found, gone, is_left = asyncio.run(walk(user))

    assert 43_100 < age_before <= 43_200
    assert (found, gone, is_left) == (str(user.pk), False, False)


# --- The page's own words about it -------------------------------------------------------


def test_the_cookie_of_a_session_is_for_this_site_and_no_script(visitor, alice):
    response = visitor.sign_in(alice[0])

    cookie = response.cookies["sessionid"]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert 43_000 < int(cookie["max-age"]) <= 43_200


def test_an_epoch_still_ends_every_session(visitor: Visitor, alice):
    visitor.sign_in(alice[0])

    User.objects.update(session_epoch=7)

    assert not is_signed_in(visitor.client)


def test_a_page_knows_how_long_it_may_count_and_whose_it_is():
    client = signed_in(user := make_user())
    age(client, 20)  # too short ago for this request to be noted

    html = client.get("/help/").content.decode()

    (left,) = re.findall(r'data-seconds-left="(\d+)"', html)
    assert 870 <= int(left) <= 880
    assert f'data-user="{user.name}"' in html
    assert 'data-idle-seconds="900"' in html
    assert "after 15 minutes without use" in html


def test_a_page_that_is_noted_as_use_counts_from_now():
    client = signed_in()
    age(client, 300)

    html = client.get("/help/").content.decode()

    assert re.search(r'data-seconds-left="(899|900)"', html)


def test_a_stranger_is_not_asked_to_sign_in_again():
    assert "session-over" not in Client().get("/help/").content.decode()


def test_a_page_is_answered_though_being_here_cannot_be_noted(monkeypatch):
    client = signed_in()
    before = age(client, 300)

    def busy(*_arguments: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(SessionStore, "touch", busy)

    assert client.get("/help/").status_code == 200
    assert row_of(client).last_seen_at == before


def test_a_new_session_is_written_once():
    visitor = Visitor()

    with CaptureQueriesContext(connection) as queries:
        visitor.begin("registration")

    written = [q["sql"] for q in queries if "accounts_session" in q["sql"]]
    assert [sql.split()[0] for sql in written] == ["INSERT"]
    assert visitor.client.cookies["sessionid"].value
