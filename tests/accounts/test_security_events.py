"""R14, R61: what happened is written down, shown to its person, and mailed."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts import security_events
from accounts.models import EmailAddress, OutgoingMail, SecurityEvent
from accounts.views.security_events import PER_PAGE
from tests.factories import make_user
from tests.pages import Page

pytestmark = pytest.mark.django_db

Kind = SecurityEvent.Kind
Status = EmailAddress.Status


def make_address(user, status=Status.ACTIVE, address="me@example.org"):
    return EmailAddress.objects.create(user=user, address=address, status=status)


def note(user, kind=Kind.PASSKEY_ADDED, **fields):
    return security_events.note(user=user, kind=kind, **fields)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


# --- Mails that wait ------------------------------------------------------------------


def test_an_event_queues_one_mail_to_the_address_that_gets_the_alerts():
    user = make_user()
    active = make_address(user)
    make_address(user, Status.PENDING, "new@example.org")
    make_address(user, Status.ENDED, "old@example.org")
    make_address(make_user())

    event = note(user)

    mail = OutgoingMail.objects.get()
    assert (mail.to, mail.event, mail.kind) == (active, event, OutgoingMail.Kind.EVENT)
    assert mail.status == OutgoingMail.Status.QUEUED


def test_an_address_that_waits_for_its_time_hears_only_of_the_change():
    user = make_user()
    active = make_address(user)
    waiting = make_address(user, Status.WAITING, "new@example.org")

    note(user)
    change = note(user, Kind.EMAIL_ASKED, also=[waiting])

    told = OutgoingMail.objects.filter(event=change).values_list("to", flat=True)
    assert set(told) == {active.pk, waiting.pk}
    assert OutgoingMail.objects.count() == 3


def test_whoever_is_named_twice_gets_one_mail():
    user = make_user()
    active = make_address(user)

    note(user, Kind.EMAIL_CHANGED, also=[active])

    assert OutgoingMail.objects.count() == 1


def test_without_an_address_there_is_an_event_and_no_mail():
    note(make_user())

    assert SecurityEvent.objects.count() == 1
    assert not OutgoingMail.objects.exists()


def test_a_site_without_mail_queues_none(settings):
    settings.HAS_EMAIL = False
    user = make_user()
    make_address(user)

    note(user)

    assert SecurityEvent.objects.count() == 1
    assert not OutgoingMail.objects.exists()


def test_what_is_rolled_back_was_never_noted():
    user = make_user()
    make_address(user)

    with transaction.atomic():
        note(user)
        transaction.set_rollback(True)

    assert not SecurityEvent.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_nothing_is_sent_while_an_event_is_noted(mailoutbox):
    user = make_user()
    make_address(user)

    note(user)

    assert mailoutbox == []


def test_what_somebody_chose_is_kept_visible_and_short():
    event = note(make_user(), detail="a\nb\u202e" + "x" * 300, browser="y" * 300)

    event.refresh_from_db()
    assert event.detail.startswith("a⟨U+000A⟩b⟨U+202E⟩x")
    assert (len(event.detail), len(event.browser)) == (200, 80)


# --- The section and the page -----------------------------------------------------------


def test_the_section_shows_the_newest_twenty_of_ones_own():
    user = make_user()
    note(make_user())
    for number in range(21):
        note(user, detail=f"number {number}")

    context = security_events.page_context(user)

    shown = [event.detail for event in context["security_events"]]
    assert shown == [f"number {number}" for number in range(20, 0, -1)]
    assert context["has_more_events"]


def test_twenty_events_are_all_there_are():
    user = make_user()
    for _ in range(20):
        note(user)

    assert not security_events.page_context(user)["has_more_events"]


def test_the_page_shows_every_event_of_its_person_and_of_nobody_else():
    user = make_user()
    note(make_user(), detail="somebody else's")
    for number in range(PER_PAGE + 1):
        note(user, detail=f"number {number}.", browser="Firefox on Linux")
    client = signed_in(user)

    first = Page(client.get(reverse("security-events")))
    second = Page(client.get(reverse("security-events"), {"page": "2"}))

    assert f"number {PER_PAGE}." in first.words
    assert "number 0." not in first.words
    assert "number 0." in second.words
    assert "A passkey was added" in first.words
    assert "Firefox on Linux" in first.words
    assert "somebody else's" not in first.words + second.words


def test_an_empty_page_says_what_will_show_there():
    page = Page(signed_in(make_user()).get(reverse("security-events")))

    assert "Nothing yet" in page.words


@pytest.mark.parametrize("query", ["\0", "9" * 60, "-1", "x"])
def test_a_bad_page_number_shows_some_page(query):
    client = signed_in(make_user())

    response = client.get(reverse("security-events"), {"page": query})

    assert response.status_code == 200


def test_markup_in_an_event_is_text():
    user = make_user()
    note(user, detail="<b>bold</b>")

    html = signed_in(user).get(reverse("security-events")).content.decode()

    assert "&lt;b&gt;bold" in html
    assert "<b>bold" not in html
