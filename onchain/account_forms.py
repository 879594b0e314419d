"""Forms that open an account or add one that was made elsewhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.credentials import name_of
from accounts.models import Credential, User
from accounts.visible_text import visible
from onchain.forms import RecipientField
from onchain.models import Safe
from onchain.services.safes import NewAccount

INCOMPLETE = "This form is incomplete. Load the page again."
NAME_CHARACTERS = 60
SITE, SELF = "site", "self"
LAYOUTS = {SITE: Safe.Layout.DIRECT, SELF: Safe.Layout.SHARED}


class PasskeyChoiceField(forms.ModelChoiceField):
    """One of the person's passkeys, by the name that the passkeys page has."""

    def label_from_instance(self, credential: Any) -> str:
        """Return the passkey's name as one line of visible text."""
        return visible(name_of(credential), limit=NAME_CHARACTERS)


class NewAccountForm(forms.Form):
    """One more account: its name, its passkey, and who pays for setting it up."""

    name = forms.CharField(
        max_length=NAME_CHARACTERS,
        error_messages={"required": "Give the account a name."},
    )
    passkey = PasskeyChoiceField(
        queryset=Credential.objects.none(),
        empty_label=None,
        error_messages={
            "required": "Choose a passkey.",
            "invalid_choice": "This passkey is not one of yours, or it was removed.",
        },
    )
    set_up_by = forms.ChoiceField(
        choices=[(SITE, "This site sets it up"), (SELF, "I pay for setting it up")],
        widget=forms.RadioSelect,
        initial=SITE,
        error_messages={
            "required": "Choose who sets it up.",
            "invalid_choice": "Choose who sets it up.",
        },
    )
    idempotency_key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Credential.objects.of(user).usable().order_by("pk")
        self.passkey_field.queryset = own
        self.initial.setdefault("name", f"Account {user.safes.count() + 1}")
        self.initial.setdefault("passkey", own.first())

    @property
    def passkey_field(self) -> forms.ModelChoiceField:
        """The choice of one's own passkeys.

        Raises:
            TypeError: the field is another one.
        """
        field = self.fields["passkey"]
        if not isinstance(field, forms.ModelChoiceField):
            raise TypeError("the passkey is chosen from rows")
        return field

    def clean_name(self) -> str:
        """Return the name with what cannot be seen made visible (security.md R34)."""
        return visible(self.cleaned_data["name"], limit=NAME_CHARACTERS)

    def clean_set_up_by(self) -> Safe.Layout:
        """Return the layout, where the operator allows it."""
        layout = LAYOUTS[self.cleaned_data["set_up_by"]]
        if layout == Safe.Layout.SHARED and not settings.USER_PAID_DEPLOYMENT:
            raise ValidationError("Here, this site sets accounts up.")
        return layout

    def wanted(self, *, network: str) -> NewAccount:
        """Return what a valid form asks for, from a network with its quota (R68)."""
        return NewAccount(
            network=network,
            name=self.cleaned_data["name"],
            layout=self.cleaned_data["set_up_by"],
            key=self.cleaned_data["idempotency_key"],
        )


class ExistingAccountForm(forms.Form):
    """The address of an account that was made elsewhere."""

    address = RecipientField(
        error_messages={"required": "Enter the account's address."}
    )
