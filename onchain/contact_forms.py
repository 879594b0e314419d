"""The forms of the address book, and of an account's name."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from accounts.visible_text import visible
from onchain import contact_files
from onchain.contact_files import MOST_BYTES, MOST_ERRORS, Parsed
from onchain.forms import RecipientField
from onchain.models import Contact, Safe
from onchain.services.contacts import NAME_CHARACTERS


class NameForm(forms.Form):
    """A name: of an account, or of an address that has one."""

    name = forms.CharField(
        max_length=NAME_CHARACTERS,
        error_messages={
            "required": "Give it a name.",
            "max_length": f"A name has at most {NAME_CHARACTERS} characters.",
        },
    )

    def clean_name(self) -> str:
        """Return the name with what cannot be seen made visible (security.md R34)."""
        return visible(self.cleaned_data["name"], limit=NAME_CHARACTERS)


class ContactForm(NameForm):
    """A new line of the address book."""

    address = RecipientField(error_messages={"required": "Enter the address."})
    field_order = ("address", "name")


class OwnContactForm(forms.Form):
    """Which line of this account's address book is meant."""

    contact = forms.ModelChoiceField(queryset=Contact.objects.none())

    def __init__(self, *args: Any, safe: Safe, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["contact"]
        if isinstance(chosen, forms.ModelChoiceField):
            chosen.queryset = Contact.objects.filter(safe=safe)


class ContactsFileForm(forms.Form):
    """A CSV file of addresses and names; cleans to what it says."""

    file = forms.FileField(
        label="File", error_messages={"required": "Choose a file first."}
    )

    def clean_file(self) -> Parsed:
        """Read the file, and refuse it with each bad line."""
        upload: UploadedFile[Any] = self.cleaned_data["file"]
        parsed = contact_files.parse(upload.read(MOST_BYTES + 1))
        if not parsed.errors:
            return parsed
        shown = parsed.errors[:MOST_ERRORS]
        if len(parsed.errors) > MOST_ERRORS:
            shown.append(f"And {len(parsed.errors) - MOST_ERRORS} more lines.")
        raise ValidationError(shown)
