"""R61, R62, R40: mails go out once, survive crashes, and say nothing they should not."""

from __future__ import annotations

import logging
import re
import smtplib
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db.models.functions import Now
from django.utils import timezone

from accounts import email_links, emails, mails, security_events, tasks
from accounts.models import EmailAddress, OutgoingMail, SecurityEvent
from tests.factories import make_user
from tests.threads import all_at_once
from wallet_site.celery import app

pytestmark = [pytest.mark.django_db, pytest.mark.services]

Kind = SecurityEvent.Kind
Status = OutgoingMail.Status
ADDRESS = "me@example.org"
FAILURES: list[Exception] = []
CRASHING = f"{__name__}.CrashingBackend"
SLOW = f"{__name__}.SlowBackend"
FAILING = f"{__name__}.FailingBackend"


class Killed(BaseException):
    """Stands for kill -9: nothing after it runs, in any ``except``."""


class CrashingBackend(EmailBackend):
    """Sends, and dies before anybody can write that down."""

    def send_messages(self, messages):
        super().send_messages(messages)
        raise Killed


class SlowBackend(EmailBackend):
    """Fails only after the lease ran out and another worker took the mail."""

    def send_messages(self, messages):
        OutgoingMail.objects.update(attempts=2, lease_until=Now() + mails.LEASE)
        raise TimeoutError


class FailingBackend(EmailBackend):
    """Fails as often as it was told to."""

    def send_messages(self, messages):
        if FAILURES:
            raise FAILURES.pop()
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def no_failures():
    FAILURES.clear()


def make_address(user=None, status=EmailAddress.Status.ACTIVE, address=ADDRESS):
    user = user or make_user()
    return EmailAddress.objects.create(user=user, address=address, status=status)


def queue_event(kind=Kind.PASSKEY_ADDED, address=None, **fields):
    """Return a mail about an event that waits to be sent."""
    address = address or make_address()
    event = security_events.note(user=address.user, kind=kind, **fields)
    return OutgoingMail.objects.get(event=event)


def queue_link(user=None):
    """Return a mail with a link that waits to be sent."""
    emails.ask(user=user or make_user(), address=ADDRESS)
    return OutgoingMail.objects.get()


def rest():
    """Let every lease and every wait run out."""
    past = timezone.now() - timedelta(seconds=1)
    OutgoingMail.objects.exclude(lease_until=None).update(lease_until=past)


def sent_text(mailoutbox):
    [message] = mailoutbox
    return message.body


# --- Once -----------------------------------------------------------------------------


def test_a_mail_is_sent_and_marked(mailoutbox, settings):
    queued = queue_event()

    assert mails.send_due() == 1

    queued.refresh_from_db()
    assert (queued.status, queued.attempts) == (Status.SENT, 1)
    assert queued.sent_at is not None
    assert queued.lease_until is None
    [message] = mailoutbox
    assert message.to == [ADDRESS]
    assert message.from_email == settings.DEFAULT_FROM_EMAIL


def test_a_mail_that_was_sent_stays_sent(mailoutbox):
    queue_event()

    for _ in range(3):
        tasks.send_mails()
        rest()

    assert len(mailoutbox) == 1


@pytest.mark.django_db(transaction=True)
def test_ten_workers_at_once_send_each_mail_once(mailoutbox):
    address = make_address()
    for number in range(5):
        queue_event(address=address, detail=f"number {number}")

    results = all_at_once(10, mails.send_due)
    mails.send_due()  # whom too many senders sent away

    assert [each for each in results if isinstance(each, Exception)] == []
    bodies = [message.body for message in mailoutbox]
    numbers = [re.findall(r"number \d", body)[0] for body in bodies]
    assert sorted(numbers) == [f"number {number}" for number in range(5)]
    assert {row.status for row in OutgoingMail.objects.all()} == {Status.SENT}


@pytest.mark.django_db(transaction=True)
def test_of_ten_who_claim_one_mail_one_sends_it(mailoutbox):
    pk = queue_event().pk

    results = all_at_once(10, lambda: mails.send(OutgoingMail.objects.get(pk=pk)))

    assert sorted(results) == [False] * 9 + [True]
    assert len(mailoutbox) == 1
    assert OutgoingMail.objects.get().attempts == 1


def test_whoever_reads_late_does_not_send_again(mailoutbox):
    early = queue_event()
    late = OutgoingMail.objects.get()
    mails.send(early)
    rest()

    assert not mails.send(late)
    assert len(mailoutbox) == 1


def test_few_senders_work_at_once(mailoutbox):
    address = make_address()
    for _ in range(mails.SENDERS + 1):
        queue_event(address=address)
    busy = OutgoingMail.objects.order_by("pk")[: mails.SENDERS]
    OutgoingMail.objects.filter(pk__in=[row.pk for row in busy]).update(
        status=Status.SENDING, attempts=1, lease_until=Now() + mails.LEASE
    )

    assert mails.send_due() == 0
    rest()
    assert mails.send_due() == mails.SENDERS + 1


def test_beat_runs_every_task_of_accounts_and_drops_a_late_look_for_mails():
    entries = {entry["task"]: entry for entry in app.conf.beat_schedule.values()}
    ours = {name for name in app.tasks if name.startswith("accounts.tasks.")}

    assert ours == {name for name in entries if name.startswith("accounts.")}
    assert len(ours) == 3
    sending = entries["accounts.tasks.send_mails"]
    assert sending["options"]["expires"] > sending["schedule"]


# --- Crashes and failures -------------------------------------------------------------


def test_dying_after_sending_costs_one_more_mail_and_no_other(settings, mailoutbox):
    queue_event()
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = CRASHING
    with pytest.raises(Killed):
        mails.send_due()
    settings.EMAIL_BACKEND = backend

    assert mails.send_due() == 0  # its lease still runs
    rest()
    assert mails.send_due() == 1
    rest()
    assert mails.send_due() == 0

    assert len(mailoutbox) == 2
    assert len({message.extra_headers["Message-ID"] for message in mailoutbox}) == 1
    assert OutgoingMail.objects.get().status == Status.SENT


def test_dying_after_sending_a_link_mails_another_one_that_no_mailbox_drops(
    settings, mailoutbox
):
    queue_link()
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = CRASHING
    with pytest.raises(Killed):
        mails.send_due()
    settings.EMAIL_BACKEND = backend
    rest()

    assert mails.send_due() == 1

    assert len({message.body for message in mailoutbox}) == 2
    assert len({message.extra_headers["Message-ID"] for message in mailoutbox}) == 2


def test_who_took_too_long_leaves_the_mail_to_the_next(settings):
    settings.EMAIL_BACKEND = SLOW
    queue_event()

    assert mails.send_due() == 0

    row = OutgoingMail.objects.get()
    assert (row.status, row.attempts) == (Status.SENDING, 2)


def test_a_lease_is_longer_than_a_run():
    assert mails.LEASE.total_seconds() > 2 * mails.RUN_SECONDS


def test_a_failed_mail_is_put_off_for_longer_each_time_and_then_given_up(settings):
    settings.EMAIL_BACKEND = FAILING
    queued = queue_event()
    waits = []

    for _ in range(mails.ATTEMPTS):
        FAILURES.append(smtplib.SMTPServerDisconnected("gone"))
        before = timezone.now()
        assert mails.send_due() == 0
        assert mails.send_due() == 0  # not before its time
        queued.refresh_from_db()
        if queued.lease_until:
            waits.append(round((queued.lease_until - before).total_seconds()))
            assert queued.status == Status.QUEUED
        rest()

    assert waits == [30, 120, 480, 1920, 7680]
    assert (queued.status, queued.attempts) == (Status.FAILED, mails.ATTEMPTS)
    assert mails.send_due() == 0


def test_a_mail_goes_out_when_the_server_is_back(settings, mailoutbox):
    settings.EMAIL_BACKEND = FAILING
    FAILURES.append(ConnectionRefusedError())
    queue_event()

    assert mails.send_due() == 0
    rest()
    assert mails.send_due() == 1

    assert len(mailoutbox) == 1


def test_one_bad_mail_does_not_hold_up_the_others(settings, mailoutbox):
    settings.EMAIL_BACKEND = FAILING
    FAILURES.append(smtplib.SMTPRecipientsRefused({}))
    address = make_address()
    queue_event(address=address, detail="first")
    queue_event(address=address, detail="second")

    assert mails.send_due() == 1

    assert "second" in sent_text(mailoutbox)


def test_who_dies_at_the_last_attempt_leaves_a_failed_mail(mailoutbox):
    queued = queue_event()
    OutgoingMail.objects.update(
        status=Status.SENDING, attempts=mails.ATTEMPTS, lease_until=Now()
    )
    rest()

    assert mails.send_due() == 0

    queued.refresh_from_db()
    assert queued.status == Status.FAILED
    assert mailoutbox == []


def test_a_site_without_mail_sends_none(settings, mailoutbox):
    queue_event()
    settings.HAS_EMAIL = False

    assert mails.send_due() == 0

    assert mailoutbox == []
    assert OutgoingMail.objects.get().status == Status.QUEUED


# --- What may stand where -------------------------------------------------------------


def test_a_links_token_is_in_the_mail_alone(mailoutbox, caplog):
    caplog.set_level(logging.DEBUG)
    queue_link()

    mails.send_due()

    [link] = re.findall(r"https?://\S+", sent_text(mailoutbox))
    token = urlsplit(link).fragment
    assert len(token) >= 43  # 256 bits in base64url
    rows = [*EmailAddress.objects.values(), *OutgoingMail.objects.values()]
    assert token not in repr(rows)
    assert email_links.token_hash(token) == EmailAddress.objects.get().token_hash
    assert token not in caplog.text
    assert ADDRESS not in caplog.text


def test_a_failure_names_neither_address_nor_words_of_the_server(settings, caplog):
    caplog.set_level(logging.DEBUG)
    settings.EMAIL_BACKEND = FAILING
    FAILURES.append(smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"no such user")}))
    queue_event()

    mails.send_due()

    assert "SMTPRecipientsRefused" in caplog.text
    assert ADDRESS not in caplog.text
    assert "no such user" not in caplog.text


def test_each_mail_with_a_link_has_another_token_and_the_newest_counts(mailoutbox):
    user = make_user()
    queue_link(user)
    mails.send_due()
    emails.ask_again(user=user)
    mails.send_due()

    older, newer = (
        urlsplit(re.findall(r"https?://\S+", message.body)[0]).fragment
        for message in mailoutbox
    )
    ids = {message.extra_headers["Message-ID"] for message in mailoutbox}
    assert len(ids) == 2
    with pytest.raises(emails.EmailLinkRefused):
        emails.verify(user=user, token=older, browser="")
    emails.verify(user=user, token=newer, browser="")


def test_a_link_that_nobody_waits_for_is_not_mailed(mailoutbox):
    user = make_user()
    queue_link(user)
    emails.cancel(user=user)

    assert mails.send_due() == 0

    assert mailoutbox == []
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize(
    "address", ["me@example.org\nBcc: all@example.org", "me@example.org\r\nX: y"]
)
def test_a_line_break_in_an_address_ends_in_failure_not_in_a_header(
    address, mailoutbox
):
    queued = queue_event(address=make_address(address=address))

    for _ in range(mails.ATTEMPTS):
        mails.send_due()
        rest()

    queued.refresh_from_db()
    assert queued.status == Status.FAILED
    assert mailoutbox == []


def test_a_line_break_in_a_name_stays_in_the_text(mailoutbox):
    queue_event(detail="Phone\r\nBcc: all@example.org\u202e")

    mails.send_due()

    [message] = mailoutbox
    assert "Phone⟨U+000D⟩⟨U+000A⟩Bcc: all@example.org⟨U+202E⟩" in message.body
    headers = message.message()
    assert headers["Bcc"] is None
    assert headers["Subject"] == "Latchkey: A passkey was added"


# --- Words ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_event_has_its_words(kind, mailoutbox, settings):
    settings.SITE_ORIGIN = "https://wallet.example"
    queued = queue_event(kind, detail='Zoë\'s "phone" <1>', browser="Firefox on Mac")
    name = queued.to.user.name

    mails.send_due()

    [message] = mailoutbox
    body = message.body
    assert message.subject == f"Latchkey: {kind.label}"
    assert queued.event.created_at.strftime("%-d %B %Y, %H:%M UTC") in body
    assert f"Wallet: {name}" in body
    assert "Browser: Firefox on Mac" in body
    assert 'Details: Zoë\'s "phone" <1>' in body
    assert "If this was not you: go to https://wallet.example yourself" in body
    assert "open Passkeys" in body
    # No link that acts: nothing but the origin, which leads to the front page (R61).
    assert re.findall(r"https?://\S+", body) == ["https://wallet.example"]
    assert len(body) < 1_000
    assert max(len(line) for line in body.splitlines()) <= 90
    assert message.message().get_content_type() == "text/plain"
    assert message.message()["Auto-Submitted"] == "auto-generated"


def test_no_two_kinds_say_the_same(mailoutbox):
    address = make_address()
    for kind in Kind:
        queue_event(kind, address)

    mails.send_due()

    assert len({message.body.split("\n\n")[0] for message in mailoutbox}) == len(Kind)
    assert all(message.body[0].isalpha() for message in mailoutbox)


def test_an_added_passkey_can_be_said_to_be_somebody_elses(mailoutbox):
    queue_event(Kind.PASSKEY_ADDED)

    mails.send_due()

    words = " ".join(sent_text(mailoutbox).split())
    assert "If this was not you" in words
    assert "Remove the new passkey there, and sign out everywhere." in words


def test_the_mail_with_the_link_leads_to_its_page(mailoutbox, settings):
    settings.SITE_ORIGIN = "https://wallet.example"
    queue_link()

    mails.send_due()

    body = sent_text(mailoutbox)
    [link] = re.findall(r"https?://\S+", body)
    assert link.startswith("https://wallet.example/email/verify#")
    assert "If it was not you, there is nothing to do" in body
    assert ADDRESS not in mailoutbox[0].subject


def test_a_mail_has_one_id_which_names_the_site_and_no_machine(mailoutbox, settings):
    settings.SITE_HOST = "wallet.example"
    queue_event()

    mails.send_due()

    [message_id] = mailoutbox[0].message().get_all("Message-ID")
    assert re.fullmatch(r"<[0-9a-f]{40}@wallet\.example>", message_id)
