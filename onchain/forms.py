"""What people post, checked before anything else sees it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts import strict_json
from accounts.errors import MalformedResponse
from accounts.models import User
from onchain.amounts import AmountError, parse_eth
from onchain.models import Safe
from onchain.proposals import ProposalPeriodMixin
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import (
    ZERO_ADDRESS,
    Address,
    checksum_address,
    parse_hex,
    to_address,
)
from onchain.services import user_operations

MAX_TYPED = 100  # characters; nothing that a person means is longer


def _typed(value: Any) -> str:
    """Return what was typed without white space around it."""
    text = str(value or "").strip()
    if len(text) > MAX_TYPED:
        raise ValidationError("This is too long.")
    return text


class RecipientField(forms.Field):
    """An address; cleans to 20 bytes, and says where a checksum goes wrong."""

    def to_python(self, value: Any) -> Any:
        text = _typed(value)
        if not text:
            return None
        digits = text[2:]
        if text[:2] not in {"0x", "0X"}:
            raise ValidationError("An address starts with 0x.")
        if len(digits) != 40:
            raise ValidationError(
                f"An address has 40 characters after 0x; this has {len(digits)}."
            )
        try:
            return to_address(f"0x{digits}")
        except EncodingError:
            raise ValidationError(self._why(digits)) from None

    def _why(self, digits: str) -> str:
        for place, digit in enumerate(digits, start=3):
            if digit not in "0123456789abcdefABCDEF":
                return f"Character {place} cannot be part of an address."
        right = checksum_address(to_address(f"0x{digits.lower()}"))[2:]
        pairs = zip(digits, right, strict=True)
        place = next(at for at, (is_, be) in enumerate(pairs, start=3) if is_ != be)
        return (
            f"The checksum does not fit, first at character {place}. "
            "A character is wrong: copy the address again from where it came."
        )


class AmountField(forms.Field):
    """An amount in ETH; cleans to wei."""

    def to_python(self, value: Any) -> Any:
        text = _typed(value)
        if not text:
            return None
        try:
            wei = parse_eth(text)
        except AmountError as error:
            raise ValidationError(str(error)) from error
        if wei == 0:
            raise ValidationError("The amount must be more than zero.")
        return wei


class SendForm(ProposalPeriodMixin):
    """A payment from one account."""

    recipient = RecipientField(
        error_messages={"required": "Enter the recipient's address."}
    )
    amount = AmountField(error_messages={"required": "Enter an amount in ETH."})
    idempotency_key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={
            "required": "This form is incomplete. Load the page again.",
            "invalid": "This form is incomplete. Load the page again.",
        },
    )
    confirm_repeat = forms.BooleanField(required=False)

    def __init__(self, *args: Any, safe: Safe, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.safe = safe
        self.user = user
        self.offer_period(safe)
        self.asks_to_repeat = False

    def clean_recipient(self) -> Address:
        """Refuse the two addresses that nobody means."""
        recipient: Address = self.cleaned_data["recipient"]
        if recipient == ZERO_ADDRESS:
            raise ValidationError("Money sent to the zero address is lost for ever.")
        if recipient == self.safe.address:
            raise ValidationError("This is the account itself.")
        return recipient

    def clean(self) -> dict[str, Any]:
        """Compare with the balance that is known; the worker compares again.

        A form that was already taken passes, so that sending it twice leads to the
        one payment it made (security.md R50).
        """
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        key = cleaned.get("idempotency_key")
        if key and user_operations.was_drafted(user=self.user, idempotency_key=key):
            return cleaned
        if cleaned.get("amount", 0) > self.safe.balance_wei:
            self.add_error("amount", "This is more than the account has.")
        elif {"recipient", "amount", "idempotency_key"} <= cleaned.keys():
            self._ask_about_twin(cleaned)
        return cleaned

    def _ask_about_twin(self, cleaned: dict[str, Any]) -> None:
        """Ask before the same payment is made twice (security.md R65)."""
        twin = user_operations.recent_twin(
            safe=self.safe,
            recipient=cleaned["recipient"],
            value_wei=cleaned["amount"],
            idempotency_key=cleaned["idempotency_key"],
        )
        if twin is None:
            return
        self.asks_to_repeat = True
        if not cleaned.get("confirm_repeat"):
            self.add_error(
                None,
                ValidationError(
                    "You made this payment a few minutes ago. Send it a second time?",
                    code="repeat",
                ),
            )


class AssertionForm(forms.Form):
    """A passkey's answer, as JSON text."""

    credential = forms.CharField(
        max_length=16_384,
        strip=False,
        widget=forms.HiddenInput,
        error_messages={"required": "The passkey's answer is missing. Try again."},
    )


class WalletAnswerForm(forms.Form):
    """A browser wallet's answer, as JSON text: which account signed, and what."""

    credential = forms.CharField(
        max_length=16_384,
        strip=False,
        widget=forms.HiddenInput,
        error_messages={"required": "The wallet's answer is missing. Try again."},
    )

    def clean(self) -> dict[str, Any]:
        """Read account and signature out of the answer."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        text = cleaned.get("credential")
        if text is None:
            return cleaned
        try:
            answer = strict_json.parse_object(text)
            cleaned["account"] = to_address(str(answer.get("account")))
            cleaned["signature"] = parse_hex(answer.get("signature"))
        except (MalformedResponse, EncodingError):
            self.add_error(None, "The wallet's answer is incomplete. Try again.")
        return cleaned


class IdempotencyForm(forms.Form):
    """A button that must work once, however often it is pressed."""

    idempotency_key = forms.UUIDField(widget=forms.HiddenInput)


class AcknowledgementForm(forms.Form):
    """The words of somebody who keeps an account on one passkey."""

    understood = forms.BooleanField(
        error_messages={"required": "Tick the box first, or leave the notice open."}
    )
