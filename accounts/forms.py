"""What a finished ceremony posts."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.http import QueryDict
from django.utils.encoding import punycode
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.errors import EmailLinkRefused, EnrolmentRefused, MalformedResponse
from accounts.models.email import ADDRESS_CHARACTERS
from accounts.step_up import Action
from accounts.visible_text import visible

RESPONSE_CHARACTERS = 32 * 1024  # ours: half of what a ceremony's body may hold (R36)
NEXT_CHARACTERS = 512
PASSKEY_NAME_CHARACTERS = 64  # of the column
TARGET_CHARACTERS = 254  # an e-mail address, RFC 5321
NO_ADDRESS = "This is not an e-mail address, such as name@example.org."


def is_local_path(url: str) -> bool:
    """Say whether a URL is a path of this site and safe in a header."""
    is_ours = url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return is_ours and url.startswith("/") and url.isprintable()


class CeremonyForm(forms.Form):
    """The WebAuthn response as JSON text, and where to go afterwards."""

    credential = forms.CharField(max_length=RESPONSE_CHARACTERS, strip=False)
    next = forms.CharField(required=False)
    passkey_only = forms.BooleanField(required=False)

    def clean_next(self) -> str:
        """Return a path of this site, or nothing: a bad one is no reason to fail."""
        url = self.cleaned_data["next"]
        is_short = len(url) <= NEXT_CHARACTERS
        return url if is_short and is_local_path(url) else ""

    def response(self) -> str:
        """Return the JSON text.

        Raises:
            MalformedResponse: it is missing, too long or holds NUL characters.
        """
        if not self.is_valid():
            raise MalformedResponse
        return str(self.cleaned_data["credential"])

    def next_path(self) -> str:
        """Return where to go afterwards; empty when that is ours to decide."""
        self.is_valid()
        return str(self.cleaned_data.get("next", ""))

    def wants_passkey_only(self) -> bool:
        """Whether who registers was invited, and wants no account of their own."""
        self.is_valid()
        return bool(self.cleaned_data.get("passkey_only"))


def joined_target(parts: Sequence[str]) -> str:
    """Return what a step-up is bound to, of all that its form names, in that order."""
    return " ".join(parts)


class StepUpForm(forms.Form):
    """What a step-up is to confirm: its target are all fields of that name together."""

    data: QueryDict

    action = forms.ChoiceField(choices=Action.choices)
    target = forms.CharField(max_length=TARGET_CHARACTERS, required=False, strip=False)

    def wanted(self) -> tuple[Action, str]:
        """Return the action and its target.

        Raises:
            MalformedResponse: no such action, or a target that cannot be one.
        """
        if not self.is_valid():
            raise MalformedResponse
        joined = joined_target(self.data.getlist("target"))
        try:
            target = self.fields["target"].clean(joined)
        except ValidationError:
            raise MalformedResponse from None
        return Action(self.cleaned_data["action"]), target


class PasskeyNameForm(forms.Form):
    """What a person calls a passkey."""

    name = forms.CharField(
        max_length=PASSKEY_NAME_CHARACTERS,
        error_messages={
            "required": "Give it a name, or leave the one it has.",
            "max_length": f"Use at most {PASSKEY_NAME_CHARACTERS} characters.",
        },
    )

    def clean_name(self) -> str:
        """Refuse what a reader could not see, or would see in another order (R34)."""
        name: str = self.cleaned_data["name"]
        # Room for every character as its code point: what comes back is cut by nothing.
        if visible(name, limit=len(name) * 16) != name:
            raise forms.ValidationError(
                "This name has characters that cannot be seen. Type it again.",
                code="hidden",
            )
        return name


class EnrolmentForm(forms.Form):
    """The token of an operator's link."""

    token = forms.CharField(max_length=64)

    def value(self) -> str:
        """Return the token.

        Raises:
            EnrolmentRefused: there is none.
        """
        if not self.is_valid():
            raise EnrolmentRefused
        return str(self.cleaned_data["token"])


class EmailForm(forms.Form):
    """The address that is to get the alerts.

    Its field is called ``target``, since the step-up that comes with it must confirm
    exactly what was typed.
    """

    target = forms.CharField(
        label="E-mail address",
        max_length=ADDRESS_CHARACTERS,
        widget=forms.EmailInput,
        error_messages={
            "required": "Enter an e-mail address.",
            "max_length": NO_ADDRESS,
        },
    )

    def clean_target(self) -> str:
        """Take what mail servers take; the domain in small ASCII letters (R34).

        Quoted names and numeric hosts are legal, but nobody's own address is one.
        """
        local, _at, domain = str(self.cleaned_data["target"]).rpartition("@")
        try:
            address = f"{local}@{punycode(domain).lower()}"
        except UnicodeError:
            raise ValidationError(NO_ADDRESS) from None
        if set(address) & set('"[]') or len(address) > ADDRESS_CHARACTERS:
            raise ValidationError(NO_ADDRESS)
        EmailValidator(message=NO_ADDRESS, allowlist=[])(address)
        return address


class ButtonForm(forms.Form):
    """A button and nothing else; it holds the words of a refusal."""


class EmailTokenForm(forms.Form):
    """The token of a link that verifies an address."""

    token = forms.CharField(max_length=64)

    def value(self) -> str:
        """Return the token.

        Raises:
            EmailLinkRefused: there is none.
        """
        if not self.is_valid():
            raise EmailLinkRefused
        return str(self.cleaned_data["token"])
