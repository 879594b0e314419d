"""The forms of the people to warn."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.forms import NO_ADDRESS
from accounts.models.outsider import OUTSIDER_NAME_CHARACTERS
from accounts.visible_text import visible
from onchain.models import AlertContact, Safe
from onchain.services import alert_contacts

MOST_CHARACTERS = 200  # of an address: the step-up's target has the account's too


class AlertContactForm(forms.Form):
    """Somebody to warn; the field is called ``target`` as a passkey confirms it."""

    name = forms.CharField(
        max_length=OUTSIDER_NAME_CHARACTERS,
        error_messages={
            "required": "Say who it is.",
            "max_length": f"A name has at most {OUTSIDER_NAME_CHARACTERS} characters.",
        },
    )
    target = forms.EmailField(
        max_length=MOST_CHARACTERS,
        error_messages={
            "required": "Enter the address.",
            "invalid": NO_ADDRESS,
            "max_length": NO_ADDRESS,
        },
    )

    def clean_name(self) -> str:
        """Return the name with what cannot be seen made visible (security.md R34)."""
        return visible(self.cleaned_data["name"], limit=OUTSIDER_NAME_CHARACTERS)


class OwnAlertContactForm(forms.Form):
    """Which of the account's alert contacts is meant."""

    target = forms.ModelChoiceField(queryset=AlertContact.objects.none())

    def __init__(self, *args: Any, safe: Safe, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["target"]
        if isinstance(chosen, forms.ModelChoiceField):
            chosen.queryset = alert_contacts.contacts_of(safe=safe)
