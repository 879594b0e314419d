"""Forms of somebody who asks guardians for an account."""

from __future__ import annotations

from typing import Any

from django import forms

from onchain.forms import RecipientField
from onchain.models import RecoveryLookup
from onchain.protocol.types import Address, to_address
from onchain.services.recovery_stand_in import in_words


class LostAccountForm(forms.Form):
    """The address of an account that somebody cannot get into."""

    account = RecipientField(
        error_messages={"required": "Enter the account's address."}
    )


class NewOwnersForm(forms.Form):
    """Which owners stay, through which module, and how many must approve afterwards."""

    kept = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "checkbox"}),
    )
    module = forms.ChoiceField(
        error_messages={"required": "Choose the guardians to ask."}
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
