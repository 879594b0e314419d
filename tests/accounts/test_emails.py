"""R61, R14: an address for alerts is asked for with a touch, and changed slowly."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import emails, mails, tasks
from accounts.forms import EmailForm
from accounts.models import Credential, EmailAddress, OutgoingMail, SecurityEvent
from tests.accounts.members import (
    NEW,
    OLD,
    Member,
    events,
    has_active,
    pass_time,
    token_in,
    verified,
    without_csrf,
)
from tests.accounts.members import inbox as inbox
from tests.accounts.members import member as member
from tests.accounts.visitor import Visitor, registered
from tests.factories import make_credential, make_user
from tests.pages import Page
from tests.soft_authenticator import SoftAuthenticator
from tests.threads import all_at_once

pytestmark = [pytest.mark.django_db, pytest.mark.services]

Kind = SecurityEvent.Kind
Status = EmailAddress.Status


# --- The first address ------------------------------------------------------------------


def test_a_first_address_gets_the_alerts_once_its_link_is_confirmed(member, inbox):
    response = member.ask(NEW)

    assert response["Location"] == reverse("passkeys")
    assert member.states == {NEW: Status.PENDING}
    [mail] = inbox()
    assert member.confirm(token_in(mail))["Location"] == reverse("passkeys")
    assert member.states == {NEW: Status.ACTIVE}
    [(to, subject, text)] = inbox()
    assert (to, subject) == (NEW, "Latchkey: The e-mail address changed")
    assert "Browser: Firefox on Linux" in text
    row = member.user.email_addresses.get()
    assert (row.token_hash, row.effective_at, row.ends_at) == (None, None, None)
    assert row.verified_at is not None


def test_asking_nudges_a_worker(member, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        member.ask(NEW)

    assert len(callbacks) == 1


def test_asking_is_no_event_yet(member):
    member.ask(NEW)

    assert Kind.EMAIL_CHANGED not in events(member.user)
    assert Kind.EMAIL_ASKED not in events(member.user)


@pytest.mark.parametrize("name", ["email-change", "email-remove"])
def test_without_a_touch_nothing_changes(name, member, inbox):
    has_active(member, inbox)

    response = member.post(name, target=NEW, credential="{}")

    assert response.status_code == 400
    assert member.states == {OLD: Status.ACTIVE}
    assert member.user.email_addresses.get().ends_at is None


def test_a_touch_for_one_address_does_not_add_another(member, inbox):
    response = member.ask(NEW, posted="evil@example.org")

    assert response.status_code == 410
    assert member.states == {}
    assert inbox() == []


def test_a_touch_for_removal_does_not_change_the_address(member, inbox):
    has_active(member, inbox)

    response = member.confirmed("email-change", target="", posted=NEW)

    assert response.status_code == 410
    assert member.states == {OLD: Status.ACTIVE}


@pytest.mark.parametrize("name", ["email-change", "email-remove"])
def test_a_passkey_added_lately_changes_no_address(name, member, inbox):
    has_active(member, inbox)
    young = SoftAuthenticator()
    make_credential(young, user=member.user)
    target = NEW if name == "email-change" else ""

    refused = member.confirmed(name, target=target, passkey=young)
    Credential.objects.update(created_at=timezone.now() - timedelta(hours=73))
    accepted = member.confirmed(name, target=target, passkey=young)

    assert (refused.status_code, accepted.status_code) == (403, 303)
    assert "72 hours" in Page(refused).words


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            "x",
            "me@",
            "@example.org",
            "me@localhost",
            "me@example",
            "a b@example.org",
        ),
        *("me@example.org\nBcc: x@example.org", "me@example.org\r\n", "me@[127.0.0.1]"),
        *('"a\x07"@example.org', "me@exam\u202eple.org", "me@" + "a" * 70 + ".org"),
        *("é@example.org", "a" * 250 + "@example.org", "me@a\0.org"),
        "me@" + ".".join(["é" * 20] * 20) + ".org",
    ],
)
def test_what_is_no_address_is_refused_in_words(typed):
    form = EmailForm({"target": typed})
    is_trimmed = typed.strip() == "me@example.org"

    assert form.is_valid() is is_trimmed
    if not is_trimmed:
        assert "e-mail address" in form.errors["target"][0] or "\0" in typed


def test_a_domain_is_kept_as_what_it_is():
    form = EmailForm({"target": "Me.You+x@Exämple.ORG"})

    assert form.is_valid()
    assert form.cleaned_data["target"] == "Me.You+x@xn--exmple-cua.org"


def test_a_refused_address_stays_in_the_form_and_the_summary_has_the_focus(member):
    response = member.ask("me@localhost")

    assert response.status_code == 422
    page = Page(response)
    assert page.inputs()["target"] == "me@localhost"
    [summary] = [
        each for _tag, each in page.elements if each.get("id") == "error-summary"
    ]
    assert "autofocus" in summary
    assert "This is not an e-mail address" in page.words
    [link] = [
        each for each in page.with_attribute("href") if each["href"] == "#email-target"
    ]
    assert link
    assert member.states == {}


def test_an_address_that_several_people_have_is_like_any_other(member, inbox):
    has_active(member, inbox)
    other = Member(*registered())

    free, taken = other.ask(NEW), Member(*registered()).ask(OLD)

    assert free.status_code == taken.status_code == 303
    assert without_csrf(free) == without_csrf(taken)
    assert sorted(mail[0] for mail in inbox()) == [NEW, OLD]


# --- A change ---------------------------------------------------------------------------


def test_a_change_waits_72_hours_and_both_addresses_are_told(member, inbox):
    has_active(member, inbox)

    verified(member, inbox, NEW)

    assert member.states == {OLD: Status.ACTIVE, NEW: Status.WAITING}
    waiting = member.user.email_addresses.get(address=NEW)
    left = waiting.effective_at - timezone.now()
    assert timedelta(hours=71, minutes=59) < left <= timedelta(hours=72)
    assert member.user.email_addresses.get(address=OLD).ends_at == waiting.effective_at
    told = inbox()
    assert sorted(mail[0] for mail in told) == [NEW, OLD]
    when = waiting.effective_at.strftime("%-d %B %Y, %H:%M UTC")
    for _to, subject, text in told:
        assert subject == "Latchkey: A new e-mail address was verified"
        assert f"It takes effect on {when}." in text
        assert "example.org" not in text


def test_the_old_address_keeps_the_alerts_until_then(member, inbox, alice):
    has_active(member, inbox)
    verified(member, inbox, NEW)
    inbox()
    pass_time(hours=71)
    tasks.change_addresses()

    another = Visitor().sign_in(alice[0])

    assert another.status_code == 303
    assert [mail[:2] for mail in inbox()] == [
        (OLD, "Latchkey: A sign-in from a new browser")
    ]


def test_after_72_hours_the_new_one_takes_over_and_both_are_told(member, inbox):
    has_active(member, inbox)
    verified(member, inbox, NEW)
    inbox()
    pass_time(hours=72)

    for _ in range(3):
        emails.apply_due()

    assert member.states == {OLD: Status.ENDED, NEW: Status.ACTIVE}
    assert sorted(mail[0] for mail in inbox()) == [NEW, OLD]
    assert events(member.user)[-1] == Kind.EMAIL_CHANGED
    assert events(member.user).count(Kind.EMAIL_CHANGED) == 2  # and the first address


def test_whoever_is_signed_in_can_keep_the_old_address(member, inbox):
    has_active(member, inbox)
    verified(member, inbox, NEW)
    inbox()

    response = member.post("email-keep")

    assert response["Location"] == reverse("passkeys")
    assert member.states == {OLD: Status.ACTIVE, NEW: Status.CANCELLED}
    told = inbox()
    assert sorted(mail[0] for mail in told) == [NEW, OLD]
    assert events(member.user)[-1] == Kind.EMAIL_KEPT
    pass_time(hours=100)
    emails.apply_due()
    assert member.states == {OLD: Status.ACTIVE, NEW: Status.CANCELLED}
    member.post("email-keep")
    assert inbox() == []


def test_a_third_address_calls_off_the_second_and_says_so(member, inbox):
    has_active(member, inbox)
    verified(member, inbox, NEW)
    inbox()

    member.ask("third@example.org")

    assert sorted(mail[0] for mail in inbox()) == [NEW, OLD, "third@example.org"]
    assert member.states[NEW] == Status.CANCELLED
    assert member.user.email_addresses.get(address=OLD).ends_at is None


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (OLD, "gets the alerts already"),
        (OLD.upper(), "gets the alerts already"),
        (NEW.title(), "confirmed already"),
    ],
)
def test_an_address_that_is_there_already_gets_words_and_no_mail(
    typed, words, member, inbox
):
    has_active(member, inbox)
    verified(member, inbox, NEW)
    inbox()
    before = member.states

    response = member.ask(typed)

    assert response.status_code == 422
    assert words in Page(response).words
    assert inbox() == []
    assert member.states == before


@pytest.mark.django_db(transaction=True)
def test_a_change_takes_effect_once_however_many_sweeps_run(member, inbox):
    has_active(member, inbox)
    verified(member, inbox, NEW)
    inbox()
    pass_time(hours=72)

    results = all_at_once(5, emails.apply_due)

    assert sum(results) == 1
    assert sorted(mail[0] for mail in inbox()) == [NEW, OLD]


@pytest.mark.django_db(transaction=True)
def test_at_the_last_moment_either_the_change_or_its_end_counts(member, inbox):
    has_active(member, inbox)
    verified(member, inbox, NEW)
    pass_time(hours=72)
    user = member.user
    work = iter([emails.apply_due, lambda: emails.keep(user=user, browser="")] * 3)

    results = all_at_once(6, lambda: next(work)())

    assert [each for each in results if isinstance(each, Exception)] == []
    row = user.email_addresses.get(status=Status.ACTIVE)
    assert row.ends_at is None
    ended = Status.CANCELLED if row.address == OLD else Status.ENDED
    other = user.email_addresses.exclude(pk=row.pk).get()
    assert other.status == ended


# --- Removal ----------------------------------------------------------------------------


def test_a_removal_takes_72_hours_and_its_address_is_told_twice(member, inbox):
    has_active(member, inbox)

    assert member.confirmed("email-remove").status_code == 303

    assert member.states == {OLD: Status.ACTIVE}
    left = member.user.email_addresses.get().ends_at - timezone.now()
    assert timedelta(hours=71, minutes=59) < left <= timedelta(hours=72)
    assert [mail[:2] for mail in inbox()] == [
        (OLD, "Latchkey: The e-mail address is to be removed")
    ]
    pass_time(hours=72)
    assert emails.apply_due() == 1
    assert member.states == {OLD: Status.ENDED}
    [(to, _subject, text)] = inbox()
    assert to == OLD
    assert "Alerts are no longer mailed." in text


def test_a_removal_can_be_called_off(member, inbox):
    has_active(member, inbox)
    member.confirmed("email-remove")
    inbox()

    member.post("email-keep")

    pass_time(hours=100)
    assert emails.apply_due() == 0
    assert member.states == {OLD: Status.ACTIVE}
    assert [mail[1] for mail in inbox()] == [
        "Latchkey: A change of the e-mail address was called off"
    ]


def test_removing_twice_starts_the_72_hours_once(member, inbox):
    has_active(member, inbox)
    member.confirmed("email-remove")
    ends_at = member.user.email_addresses.get().ends_at

    member.confirmed("email-remove")

    assert member.user.email_addresses.get().ends_at == ends_at
    assert events(member.user).count(Kind.EMAIL_REMOVED) == 1


def test_an_address_verified_during_a_removal_takes_its_own_72_hours(member, inbox):
    has_active(member, inbox)
    member.confirmed("email-remove")
    pass_time(hours=70)
    verified(member, inbox, NEW)
    pass_time(hours=3)

    assert emails.apply_due() == 0

    assert member.states == {OLD: Status.ACTIVE, NEW: Status.WAITING}


def test_what_is_about_to_be_replaced_is_not_removed(member, inbox):
    has_active(member, inbox)
    verified(member, inbox, NEW)

    member.confirmed("email-remove")

    assert Kind.EMAIL_REMOVED not in events(member.user)
    assert member.states == {OLD: Status.ACTIVE, NEW: Status.WAITING}


def test_after_a_removal_the_next_address_is_a_first_one(member, inbox):
    has_active(member, inbox)
    member.confirmed("email-remove")
    pass_time(hours=72)
    emails.apply_due()

    verified(member, inbox, NEW)

    assert member.states == {OLD: Status.ENDED, NEW: Status.ACTIVE}


# --- What the page says -----------------------------------------------------------------


def section(user):
    """Return the section as the passkeys page includes it."""
    context = emails.page_context(user)
    request = RequestFactory().get("/")
    html = render_to_string("accounts/_email.html", context, request)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_section_says_each_state_and_one_next_step(member, inbox):
    assert "Add an e-mail address for alerts" in section(member.user)
    assert "never signs you in" in section(member.user)
    assert "Add the address" in section(member.user)

    member.ask(OLD)
    assert "A mail with a link is on its way" in section(member.user)
    assert "Send the link again" not in section(member.user)
    [mail] = inbox()
    assert "We sent a link to this address" in section(member.user)
    assert "Send the link again" in section(member.user)
    pass_time(hours=25)
    assert "The link has expired" in section(member.user)
    pass_time(hours=-25)
    member.confirm(token_in(mail))
    inbox()
    assert f"{OLD} Gets the alerts" in section(member.user)
    assert "Change the address" in section(member.user)

    verified(member, inbox, NEW)
    words = section(member.user)
    assert f"{OLD} Ends soon Gets the alerts until" in words
    assert f"{NEW} Confirmed Takes effect on" in words
    assert "Keep the old address" in words
    assert "Change the address" not in words
    member.post("email-keep")
    assert f"{OLD} Gets the alerts" in section(member.user)

    member.confirmed("email-remove")
    assert "Keep this address" in section(member.user)


def test_the_section_says_that_a_mail_could_not_be_sent(member):
    member.ask(NEW)
    OutgoingMail.objects.update(
        status=OutgoingMail.Status.FAILED, attempts=mails.ATTEMPTS
    )

    assert "The mail could not be sent" in section(member.user)


def test_a_site_without_mail_says_so_and_takes_no_address(member, settings):
    settings.HAS_EMAIL = False

    assert "This site sends no mail" in section(member.user)
    assert "Add the address" not in section(member.user)
    assert member.ask(NEW).status_code == 422
    assert member.states == {}


def test_the_section_asks_the_database_little(django_assert_max_num_queries):
    user = make_user()
    EmailAddress.objects.create(user=user, address=NEW)

    with django_assert_max_num_queries(2):
        section(user)


# --- What is left behind ----------------------------------------------------------------


def test_no_address_and_no_token_is_logged(member, inbox, caplog):
    caplog.set_level(logging.DEBUG)

    has_active(member, inbox)
    member.ask(NEW)
    [mail] = inbox()
    member.confirm(token_in(mail))
    member.post("email-keep")
    member.confirmed("email-remove")
    pass_time(hours=72)
    tasks.change_addresses()
    inbox()

    assert "verified e-mail address" in caplog.text
    assert "example.org" not in caplog.text
    assert token_in(mail) not in caplog.text


def test_what_nobody_uses_is_deleted_after_30_days(member, inbox):
    has_active(member, inbox)
    verified(member, inbox, NEW)
    pass_time(hours=72)
    emails.apply_due()
    inbox()
    member.ask("third@example.org")
    inbox()
    member.post("email-cancel")
    tasks.clean_up()
    assert len(member.states) == 3
    EmailAddress.objects.update(created_at=timezone.now() - timedelta(days=31))
    pass_time(days=31)

    tasks.clean_up()

    assert member.states == {NEW: Status.ACTIVE}
    assert OutgoingMail.objects.filter(to__address=OLD).count() == 0
