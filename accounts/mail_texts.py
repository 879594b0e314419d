"""What mails say; a link's token is made as its mail is sent, and kept nowhere."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from accounts import email_links, outsiders
from accounts.models import EmailAddress, OutgoingMail, Outsider


def address_of(mail: OutgoingMail) -> str:
    """Return where a mail goes."""
    recipient = mail.to or mail.outsider
    if recipient is None:
        raise ValueError(f"mail {mail.pk} is to nobody")
    return recipient.address


def text_of(mail: OutgoingMail) -> tuple[str, str] | None:
    """Return subject and body; None if nobody waits for its link any more."""
    if mail.outsider is not None:
        return _to_outsider(mail, mail.outsider)
    if mail.to is None:
        raise ValueError(f"mail {mail.pk} is to nobody")
    return _to_person(mail, mail.to)


def _to_person(mail: OutgoingMail, to: EmailAddress) -> tuple[str, str] | None:
    context: dict[str, Any] = {"user": to.user}
    if mail.event is not None:
        context["event"] = mail.event
        return mail.event.get_kind_display(), _body(mail.event.kind, context)
    token = email_links.issue(to)
    if token is None:
        return None
    context["link"] = _link("email-verify", token)
    return "Confirm your e-mail address for alerts", _body("verify", context)


def _to_outsider(mail: OutgoingMail, outsider: Outsider) -> tuple[str, str] | None:
    context: dict[str, Any] = {"outsider": outsider, "mail": mail}
    if mail.kind == OutgoingMail.Kind.NOTICE:
        name = "ended" if mail.notice == mail.Notice.CONTACT_ENDED else "warning"
        return mail.get_notice_display(), _body(f"outsider-{name}", context)
    token = outsiders.issue(outsider)
    if token is None:
        return None
    context["link"] = _link("alert-link", token)
    return "May we warn you about an account", _body("outsider-ask", context)


def _link(name: str, token: str) -> str:
    return f"{settings.SITE_ORIGIN}{reverse(name)}#{token}"


def _body(name: str, context: dict[str, Any]) -> str:
    known = {"site_name": settings.WEBAUTHN_RP_NAME, "origin": settings.SITE_ORIGIN}
    return render_to_string(f"mails/{name}.txt", known | context).strip() + "\n"
