"""The address for alerts: adding, changing and removing it, and its link (R61, R62)."""

from __future__ import annotations

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import emails, tasks
from accounts.answers import kept_private, person, refusal, see_other
from accounts.browsers import browser_name
from accounts.decorators import passkeys_login_required, step_up_required
from accounts.errors import EmailLinkRefused, EmailRefused
from accounts.forms import ButtonForm, EmailForm, EmailTokenForm
from accounts.frame import render_framed
from accounts.models import EmailAddress, User
from accounts.step_up import Action

PASSKEYS = "passkeys"  # the page that shows the section


@passkeys_login_required
@require_POST
@step_up_required(
    Action.CHANGE_EMAIL, target="post:target", is_settled=True, way_back=PASSKEYS
)
def email_change(request: HttpRequest) -> HttpResponse:
    """Take a first or another address, and mail it a link."""
    user = _signed_in(request)
    form = EmailForm(request.POST, auto_id="email-%s")
    if form.is_valid():
        try:
            emails.ask(user=user, address=form.cleaned_data["target"])
        except EmailRefused as error:
            form.add_error("target", str(error))
        else:
            return _mailed(request)
    return _section(request, user, form)


@passkeys_login_required
@require_POST
def email_link(request: HttpRequest) -> HttpResponse:
    """Mail another link to the address that waits for one."""
    user = _signed_in(request)
    try:
        emails.ask_again(user=user)
    except EmailRefused as error:
        form = ButtonForm(request.POST)
        form.full_clean()
        form.add_error(None, str(error))
        return _section(request, user, form)
    return _mailed(request)


@passkeys_login_required
@require_POST
def email_cancel(request: HttpRequest) -> HttpResponse:
    """Forget the address whose link nobody confirmed."""
    emails.cancel(user=_signed_in(request))
    return see_other(request, reverse(PASSKEYS))


@passkeys_login_required
@require_POST
@step_up_required(Action.CHANGE_EMAIL, is_settled=True, way_back=PASSKEYS)
def email_remove(request: HttpRequest) -> HttpResponse:
    """Let the address end in 72 hours."""
    user = _signed_in(request)
    try:
        emails.remove(user=user, browser=_browser(request))
    except EmailRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The address ends in 72 hours. It was told.")
    tasks.send_mails.delay_on_commit()
    return see_other(request, reverse(PASSKEYS))


@passkeys_login_required
@require_POST
def email_keep(request: HttpRequest) -> HttpResponse:
    """Call off a change or a removal."""
    user = _signed_in(request)
    if emails.keep(user=user, browser=_browser(request)):
        messages.success(request, "Nothing changes: the address stays as it was.")
    tasks.send_mails.delay_on_commit()
    return see_other(request, reverse(PASSKEYS))


@require_safe
def email_verify(request: HttpRequest) -> HttpResponse:
    """The page of a link, which changes nothing; the token stays in the browser."""
    return kept_private(render_framed(request, "accounts/email_verify.html", {}))


@require_POST
def email_confirm(request: HttpRequest) -> HttpResponse:
    """Confirm the address of a link, for the person who asked for it."""
    user = person(request)
    try:
        if user is None:
            raise EmailLinkRefused
        address = emails.verify(
            user=user,
            token=EmailTokenForm(request.POST).value(),
            browser=_browser(request),
        )
    except EmailLinkRefused as error:
        return kept_private(refusal(request, error, way_back=reverse(PASSKEYS)))
    tasks.send_mails.delay_on_commit()
    if address.status == EmailAddress.Status.ACTIVE:
        words = "Alerts go to this address from now on."
    else:
        words = "The address is confirmed. It gets the alerts in 72 hours."
    messages.success(request, words)
    return kept_private(see_other(request, reverse(PASSKEYS)))


def _mailed(request: HttpRequest) -> HttpResponse:
    tasks.send_mails.delay_on_commit()
    messages.success(request, "A mail with a link is on its way. It works for a day.")
    return see_other(request, reverse(PASSKEYS))


def _section(request: HttpRequest, user: User, form: Form) -> HttpResponse:
    """Answer a form that was not accepted: the section with words, on its own page."""
    context = emails.page_context(user) | {"email_form": form}
    return render_framed(request, "accounts/email.html", context, status=422)


def _signed_in(request: HttpRequest) -> User:
    user = person(request)
    if user is None:
        raise TypeError("the view lacks its login check")
    return user


def _browser(request: HttpRequest) -> str:
    return browser_name(request.headers.get("User-Agent", ""))
