"""Forms that make a wallet's address an owner of an account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from onchain.forms import RecipientField, WalletAnswerForm
from onchain.models import Safe
from onchain.owner_forms import INCOMPLETE, AdditionForm
from onchain.protocol.errors import EncodingError
from onchain.protocol.owners import require_new_owner
from onchain.protocol.types import ZERO_ADDRESS, Address


class WalletAddressForm(forms.Form):
    """The address that shall become an owner."""

    wallet = RecipientField(
        label="Address", error_messages={"required": "Enter the wallet's address."}
    )

    def __init__(self, *args: Any, safe: Safe | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = None if safe is None else Address(safe.address)

    def clean_wallet(self) -> Address:
        """Refuse what no Safe takes as an owner, and who is one already."""
        address: Address = self.cleaned_data["wallet"]
        if address == ZERO_ADDRESS:
            raise ValidationError("The zero address belongs to nobody.")
        if address == self.account:
            raise ValidationError("An account cannot own itself.")
        try:
            require_new_owner(address, account=self.account or ZERO_ADDRESS)
        except EncodingError as error:
            raise ValidationError("This address cannot be an owner.") from error
        return address


class WalletProofForm(WalletAnswerForm):
    """What a wallet signed to show that it can."""

    proof = forms.IntegerField(
        min_value=1,
        widget=forms.HiddenInput,
        error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE},
    )


class AddWalletForm(AdditionForm):
    """Asking that a wallet becomes an owner, proven or on one's own word."""

    understood = forms.BooleanField(required=False)

    def __init__(self, *args: Any, is_proven: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_proven = is_proven

    def clean_understood(self) -> bool:
        """Ask for the words of whoever adds what has shown nothing."""
        understood: bool = self.cleaned_data["understood"]
        if not self.is_proven and not understood:
            raise ValidationError(
                "Tick this first, or let the wallet show that it can sign."
            )
        return understood
