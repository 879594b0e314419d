"""Forms of somebody who asks guardians for an account."""

from __future__ import annotations

from typing import Any

from django import forms

from onchain.forms import RecipientField
from onchain.models import RecoveryLookup
from onchain.protocol.types import Address, to_address
from onchain.services import recovery_nicknames
from onchain.services.recovery_stand_in import in_words


class LostAccountField(RecipientField):
    """An address, or the nickname that stands for one; cleans to 20 bytes."""

    def to_python(self, value: Any) -> Any:
        name = str(value or "").strip().lower()
        if recovery_nicknames.is_name(name):
            return recovery_nicknames.address_of(name=name)
        return super().to_python(value)


class LostAccountForm(forms.Form):
    """The account that somebody cannot get into, by its address or nickname."""

    account = LostAccountField(
        error_messages={"required": "Enter the account's address or nickname."}
    )

    @property
    def typed(self) -> str:
        """Return what was typed, as links of the page repeat it."""
        return str(self.data.get("account", "")).strip()

    @property
    def nickname(self) -> str:
        """Return the name that was typed; empty: an address."""
        name = self.typed.lower()
        return name if recovery_nicknames.is_name(name) else ""


class NicknameForm(forms.Form):
    """The nickname of an account; its shape and whether it is free says the service."""

    name = forms.CharField(
        max_length=32,
        error_messages={
            "required": "Enter a nickname.",
            "max_length": "A nickname has 32 characters at most.",
        },
    )

    def clean_name(self) -> str:
        """Return it in small letters, the only ones there are."""
        return str(self.cleaned_data["name"]).lower()


class NewOwnersForm(forms.Form):
    """Which owners stay, through which module, and how many must approve afterwards."""

    kept = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "checkbox"}),
    )
    module = forms.ChoiceField(
        label="Guardians, by their delay",
        error_messages={"required": "Choose the guardians to ask."},
    )
    threshold = forms.IntegerField(
        min_value=1,
        error_messages={"required": "Say how many must approve afterwards."},
    )

    def __init__(
        self, *args: Any, lookup: RecoveryLookup, setups: list[Any], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lookup = lookup
        kept, module = self.fields["kept"], self.fields["module"]
        if isinstance(kept, forms.MultipleChoiceField):
            kept.choices = [(owner, owner) for owner in lookup.owners]
        if isinstance(module, forms.ChoiceField):
            module.choices = [
                (setup["module"], in_words(setup["delay"])) for setup in setups
            ]
        # One's co-owners stay unless somebody says otherwise; a sole owner is the
        # key that is lost.
        several = lookup.owners if len(lookup.owners) > 1 else []
        self.initial = {
            "kept": several,
            "module": setups[0]["module"] if setups else "",
            "threshold": min(lookup.threshold, len(several) + 1),
        }

    def wanted(self, *, new: Address) -> list[Address]:
        """Return who is to own the account: who stays, then the claimant's new key."""
        kept = [to_address(text) for text in self.cleaned_data["kept"]]
        return [*(owner for owner in kept if owner != new), new]
