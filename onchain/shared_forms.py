"""The form of an account with several first owners."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.credentials import name_of
from accounts.models import Credential, User
from accounts.visible_text import visible
from onchain.account_forms import INCOMPLETE, NAME_CHARACTERS
from onchain.forms import RecipientField
from onchain.protocol.types import Address
from onchain.services.formations import MOST_OWNERS, Wanted

LINES_CHARACTERS = 2_000


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _addresses(text: str) -> list[Address]:
    """Return the addresses, one for each line.

    Raises:
        ValidationError: which line is none.
    """
    field = RecipientField()
    found = []
    for number, line in enumerate(_lines(text), start=1):
        try:
            found.append(field.clean(line))
        except ValidationError as error:
            raise ValidationError(
                f"Line {number}: {' '.join(error.messages)}"
            ) from None
    return found


class OwnPasskeysField(forms.ModelMultipleChoiceField):
    """Some of the person's passkeys, by the names that the passkeys page has."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, credential: Any) -> str:
        """Return the passkey's name as one line of visible text."""
        return visible(name_of(credential), limit=NAME_CHARACTERS)


class SharedAccountForm(forms.Form):
    """Its name, its first owners, and how many of them must approve."""

    name = forms.CharField(
        max_length=NAME_CHARACTERS,
        error_messages={"required": "Give the account a name."},
    )
    passkeys = OwnPasskeysField(
        queryset=Credential.objects.none(),
        required=False,
        label="Your passkeys",
        error_messages={
            "invalid_choice": "A passkey is not one of yours, or it was removed."
        },
    )
    people = forms.CharField(
        required=False, max_length=LINES_CHARACTERS, label="People"
    )
    own_wallets = forms.CharField(
        required=False, max_length=LINES_CHARACTERS, label="Your wallets"
    )
    wallets = forms.CharField(
        required=False, max_length=LINES_CHARACTERS, label="Addresses of nobody here"
    )
    vouched = forms.BooleanField(required=False, label="I vouch for them")
    threshold = forms.IntegerField(
        min_value=1,
        max_value=MOST_OWNERS,
        label="How many must approve",
        error_messages={
            "required": "Say how many must approve.",
            "invalid": "Say how many must approve, in digits.",
        },
    )
    idempotency_key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Credential.objects.of(user).usable().order_by("pk")
        field = self.fields["passkeys"]
        if isinstance(field, OwnPasskeysField):
            field.queryset = own
        self.initial.setdefault("passkeys", own[:1])
        self.initial.setdefault("threshold", 2)
        number = user.formations.count() + 1
        name = "Shared account" if number == 1 else f"Shared account {number}"
        self.initial.setdefault("name", name)

    def clean_name(self) -> str:
        """Return the name with what cannot be seen made visible (security.md R34)."""
        return visible(self.cleaned_data["name"], limit=NAME_CHARACTERS)

    def clean_people(self) -> list[str]:
        """Return the names of who is invited, one for each line."""
        names = _lines(self.cleaned_data["people"])
        return [visible(name, limit=NAME_CHARACTERS) for name in names]

    def clean_own_wallets(self) -> list[Address]:
        """Return the addresses, one for each line."""
        return _addresses(self.cleaned_data["own_wallets"])

    def clean_wallets(self) -> list[Address]:
        """Return the addresses, one for each line."""
        return _addresses(self.cleaned_data["wallets"])

    def clean_vouched(self) -> bool:
        """Ask for the word of whoever puts down what shows nothing."""
        vouched: bool = self.cleaned_data["vouched"]
        if self.cleaned_data.get("wallets") and not vouched:
            raise ValidationError(
                "Tick that you vouch for the addresses, or leave them out."
            )
        return vouched

    def wanted(self, *, network: str) -> Wanted:
        """Return what a valid form asks for, from a network with its quota (R68)."""
        return Wanted(
            network=network,
            name=self.cleaned_data["name"],
            threshold=self.cleaned_data["threshold"],
            passkeys=list(self.cleaned_data["passkeys"]),
            people=self.cleaned_data["people"],
            wallets=self.cleaned_data["wallets"],
            own_wallets=self.cleaned_data["own_wallets"],
            key=self.cleaned_data["idempotency_key"],
        )


class ThresholdForm(forms.Form):
    """Another number of approvals."""

    threshold = forms.IntegerField(min_value=1, max_value=MOST_OWNERS)


class SeatForm(forms.Form):
    """One place on the list."""

    seat = forms.IntegerField(min_value=1, max_value=2**63 - 1)
