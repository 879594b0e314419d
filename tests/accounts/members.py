"""A signed-in person who asks for an address, and the mails that arrive there."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db.models import F
from django.urls import reverse

from accounts import tasks
from accounts.models import EmailAddress, SecurityEvent
from tests.accounts.visitor import Visitor

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
    """Return a page without its token, and without the seconds that pass meanwhile."""
    return re.sub(
        rb'(csrfmiddlewaretoken" value=|X-CSRFToken": |data-(?:seconds-left|ends-in)=)'
        rb'"[^"]+"',
        b"",
        response.content,
    )
