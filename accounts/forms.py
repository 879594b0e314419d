"""What a finished ceremony posts."""

from __future__ import annotations

from django import forms
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.errors import EnrolmentRefused, MalformedResponse
from accounts.step_up import Action

RESPONSE_CHARACTERS = 32 * 1024  # ours: half of what a ceremony's body may hold (R36)
NEXT_CHARACTERS = 512
TARGET_CHARACTERS = 254  # an e-mail address, RFC 5321


def is_local_path(url: str) -> bool:
    """Say whether a URL is a path of this site and safe in a header."""
    is_ours = url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return is_ours and url.startswith("/") and url.isprintable()


class CeremonyForm(forms.Form):
    """The WebAuthn response as JSON text, and where to go afterwards."""

    credential = forms.CharField(max_length=RESPONSE_CHARACTERS, strip=False)
    next = forms.CharField(required=False)

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


class StepUpForm(forms.Form):
    """What a step-up is to confirm."""

    action = forms.ChoiceField(choices=Action.choices)
    target = forms.CharField(max_length=TARGET_CHARACTERS, required=False, strip=False)

    def wanted(self) -> tuple[Action, str]:
        """Return the action and its target.

        Raises:
            MalformedResponse: no such action, or a target that cannot be one.
        """
        if not self.is_valid():
            raise MalformedResponse
        return Action(self.cleaned_data["action"]), self.cleaned_data["target"]


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
