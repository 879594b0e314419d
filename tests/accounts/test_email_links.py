"""R62: the link of an address works once, for its person, for a day, and hides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import email_links, emails
from accounts.models import EmailAddress, OutgoingMail, SecurityEvent
from tests.accounts.members import (
    NEW,
    UNKNOWN_TOKEN,
    Member,
    events,
    pass_time,
    token_in,
    without_csrf,
)
from tests.accounts.members import inbox as inbox
from tests.accounts.members import member as member
from tests.accounts.visitor import Visitor
from tests.factories import make_user
from tests.pages import Page
from tests.threads import all_at_once

pytestmark = [pytest.mark.django_db, pytest.mark.services]

Kind = SecurityEvent.Kind
Status = EmailAddress.Status


@pytest.fixture
def link(member, inbox):
    """The token of a link that is out."""
    member.ask(NEW)
    [mail] = inbox()
    return token_in(mail)


def test_looking_at_the_page_changes_nothing_and_leaves_no_trace(member, link, client):
    before = list(EmailAddress.objects.values())

    for browser in (client, member.client):
        response = browser.get(reverse("email-verify"))

        assert response.status_code == 200
        assert response["Referrer-Policy"] == "no-referrer"
        assert "noindex" in response["X-Robots-Tag"]
        assert "no-store" in response["Cache-Control"]
    assert list(EmailAddress.objects.values()) == before


def test_a_stranger_is_asked_to_sign_in_and_a_person_to_confirm(member, client):
    stranger = Page(client.get(reverse("email-verify")))
    person = Page(member.client.get(reverse("email-verify")))

    assert "Sign in with passkey" in stranger.words
    assert "Confirm the address" not in stranger.words
    assert "Confirm the address" in person.words
    assert str(member.user) in person.words
    assert "example.org" not in person.words


def test_after_signing_in_one_is_back_at_the_link(alice, link):
    visitor = Visitor()
    page = Page(visitor.client.get(reverse("email-verify")))
    [there] = [
        each["data-with-fragment"] for each in page.with_attribute("data-with-fragment")
    ]
    options = visitor.begin("authentication")

    response = visitor.finish(
        "authentication", alice[0].get(options), next=f"{there}#{link}"
    )

    assert response["Location"] == f"{there}#{link}"
    assert visitor.client.get(there).status_code == 200


def test_every_refusal_is_the_same(member, link, bob, client):
    stranger = Member(*bob)
    stranger.ask(NEW)  # the same address, which says nothing
    stranger.client.get(reverse("email-verify"))  # shows the message of that once

    foreign, unknown = stranger.confirm(link), stranger.confirm(UNKNOWN_TOKEN)
    signed_out = client.post(reverse("email-confirm"), {"token": link})

    assert foreign.status_code == unknown.status_code == signed_out.status_code == 410
    assert without_csrf(foreign) == without_csrf(unknown)
    assert "This link does not work" in Page(signed_out).words
    assert "_auth_user_id" not in client.session
    assert stranger.states == member.states == {NEW: Status.PENDING}
    assert member.confirm(link).status_code == 303


@pytest.mark.parametrize("token", ["", "A" * 43, "A" * 65, "\0", "é" * 43])
def test_any_other_token_is_refused(member, link, token):
    assert member.confirm(token).status_code == 410
    assert member.states == {NEW: Status.PENDING}


def test_a_link_works_once(member, link):
    assert member.confirm(link).status_code == 303
    told = SecurityEvent.objects.count()

    assert member.confirm(link).status_code == 410
    assert SecurityEvent.objects.count() == told


@pytest.mark.django_db(transaction=True)
def test_of_ten_confirmations_at_once_one_counts(member, link):
    user = member.user

    results = all_at_once(
        10, lambda: emails.verify(user=user, token=link, browser="").status
    )

    refused = [each for each in results if isinstance(each, emails.EmailLinkRefused)]
    assert len(refused) == 9
    assert [each for each in results if each not in refused] == [Status.ACTIVE]
    assert events(user).count(Kind.EMAIL_CHANGED) == 1


def test_a_link_ends_after_24_hours(member, link):
    row = member.user.email_addresses.get()
    left = row.token_expires_at - timezone.now()
    pass_time(hours=24)

    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    assert member.confirm(link).status_code == 410


def test_a_newer_link_ends_the_older_at_once(member, link, inbox):
    assert member.post("email-link").status_code == 303

    assert member.confirm(link).status_code == 410
    [mail] = inbox()
    assert member.confirm(token_in(mail)).status_code == 303


def test_asking_for_the_same_address_again_mails_another_link(member, link, inbox):
    assert member.ask(NEW.upper()).status_code == 303

    assert [mail[0] for mail in inbox()] == [NEW]
    assert member.states == {NEW: Status.PENDING}


def test_asking_for_another_address_ends_the_link(member, link, inbox):
    member.ask("third@example.org")

    assert member.confirm(link).status_code == 410
    assert member.states == {NEW: Status.CANCELLED, "third@example.org": Status.PENDING}


def test_a_forgotten_address_ends_its_link(member, link):
    for _ in range(2):
        assert member.post("email-cancel").status_code == 303

    assert member.confirm(link).status_code == 410
    assert member.states == {NEW: Status.CANCELLED}
    assert Kind.EMAIL_KEPT not in events(member.user)


def test_the_link_of_a_mail_that_waits_is_not_mailed_twice(member, inbox):
    member.ask(NEW)
    member.post("email-link")

    assert len(inbox()) == 1


def test_five_mails_with_a_link_a_day_are_enough(member, inbox):
    for number in range(email_links.MAILS_A_DAY):
        assert member.ask(f"me{number}@example.org").status_code == 303
        inbox()

    again, other = member.post("email-link"), member.ask("me9@example.org")

    assert again.status_code == other.status_code == 422
    assert "5 mails with a link today" in Page(again).words
    assert "5 mails with a link today" in Page(other).words
    assert inbox() == []
    assert member.states["me4@example.org"] == Status.PENDING
    OutgoingMail.objects.update(
        created_at=timezone.now() - timedelta(days=1, seconds=1)
    )
    assert member.post("email-link").status_code == 303


def test_a_mailbox_gets_ten_links_a_day_however_many_people_ask(member, inbox):
    for _ in range(email_links.MAILBOX_A_DAY):
        emails.ask(user=make_user(), address=NEW.upper())
    assert len(inbox()) == email_links.MAILBOX_A_DAY

    response = member.ask(NEW)

    assert response.status_code == 303
    assert inbox() == []
    waiting = OutgoingMail.objects.get(to__user=member.user)
    assert (waiting.status, waiting.attempts) == (OutgoingMail.Status.QUEUED, 0)
    assert email_links.state_of(waiting.to) == "queued"  # says nothing of the others
    member.post("email-link")
    assert inbox() == []
    yesterday = timezone.now() - timedelta(days=1, seconds=1)
    OutgoingMail.objects.exclude(sent_at=None).update(sent_at=yesterday)
    member.post("email-link")
    assert [mail[0] for mail in inbox()] == [NEW]


@pytest.mark.django_db(transaction=True)
def test_asking_ten_times_at_once_makes_one_row_and_one_mail(member):
    user = member.user

    results = all_at_once(10, lambda: emails.ask(user=user, address=NEW))

    assert results == [None] * 10
    assert member.states == {NEW: Status.PENDING}
    assert OutgoingMail.objects.count() == 1


def test_another_link_needs_an_address_that_waits(member):
    response = member.post("email-link")

    assert response.status_code == 422
    assert "No address waits for its link any more" in Page(response).words
