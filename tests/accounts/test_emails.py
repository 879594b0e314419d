"""R61, R62, R14: an address for alerts is verified by its person, and changed slowly."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db.models import F
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import email_links, emails, mails, tasks
from accounts.forms import EmailForm
from accounts.models import Credential, EmailAddress, OutgoingMail, SecurityEvent
from tests.accounts.visitor import Visitor, registered
from tests.factories import make_credential, make_user
from tests.pages import Page
from tests.soft_authenticator import SoftAuthenticator
from tests.threads import all_at_once

pytestmark = [pytest.mark.django_db, pytest.mark.services]

Kind = SecurityEvent.Kind
Status = EmailAddress.Status
OLD, NEW = "old@example.org", "new@example.org"
UNKNOWN_TOKEN = "A" * 43


class Member(Visitor):
    """A signed-in person's browser, with the passkey in the hand."""

    def __init__(self, passkey, user):
        super().__init__(headers={"User-Agent": "Firefox/140.0 Linux"})
        self.passkey, self.user = passkey, user
        assert self.sign_in(passkey).status_code == 303

    def confirmed(self, name, *, target="", passkey=None, posted=None):
        """Post a form that a touch confirmed for ``target``."""
        options = self.begin("step-up", action="change-email", target=target)
        answer = (passkey or self.passkey).get(options)
        data = {"credential": json.dumps(answer), "target": posted or target}
        return self.client.post(reverse(name), data)

    def ask(self, address, **changes):
        return self.confirmed("email-change", target=address, **changes)

    def post(self, name, **data):
        return self.client.post(reverse(name), data)

    def confirm(self, token):
        return self.post("email-confirm", token=token)

    @property
    def states(self):
        """What stands in the table for this person: address to state."""
        return dict(self.user.email_addresses.values_list("address", "status"))


@pytest.fixture
def member(alice):
    return Member(*alice)


@pytest.fixture
def inbox(mailoutbox):
    """Send what waits and return each new mail as (address, subject, text)."""

    def take():
        tasks.send_mails()
        taken = [(one.to[0], one.subject, one.body) for one in mailoutbox]
        mailoutbox.clear()
        return taken

    return take


def token_in(mail):
    return urlsplit(re.findall(r"https?://\S+", mail[2])[0]).fragment


def verified(member, inbox, address):
    """Ask for an address and confirm it by its link."""
    assert member.ask(address).status_code == 303
    [mail] = [each for each in inbox() if "#" in each[2]]
    assert mail[0] == address
    return member.confirm(token_in(mail))


def has_active(member, inbox, address=OLD):
    """Give a person an address that gets the alerts."""
    assert verified(member, inbox, address).status_code == 303
    inbox()


def pass_time(**hours):
    """Let everything that is to happen be so much nearer."""
    by = timedelta(**hours)
    for name in ("effective_at", "ends_at", "token_expires_at"):
        rows = EmailAddress.objects.exclude(**{name: None})
        rows.update(**{name: F(name) - by})


def events(user):
    return [SecurityEvent.Kind(each.kind) for each in user.security_events.all()][::-1]


def without_csrf(response):
    return re.sub(
        rb'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"', b"", response.content
    )


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


# --- The link ---------------------------------------------------------------------------


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
