"""Forms that ask for changes of an account's owners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from onchain.forms import IdempotencyForm
from onchain.models import Owner, Safe
from onchain.proposals import ProposalPeriodMixin
from onchain.protocol.types import Address, to_address
from onchain.services.new_owners import NewOwner
from onchain.templatetags.display import owner_kind, passkey_label, short_address

CHOOSE = "Choose one of these."
INCOMPLETE = "This form is incomplete. Load the page again."


def named(owner: Owner) -> str:
    """Return how an owner stands in a list to choose from; the review names it whole.

    What tells two apart comes first: a phone cuts the end off.
    """
    passkey = owner.credential
    name = owner_kind(owner) if passkey is None else passkey_label(passkey)
    return f"{short_address(owner.address_text)}, {name}"


class ChangeForm(IdempotencyForm, ProposalPeriodMixin):
    """What every form of a change has: it works once, and says how long it holds."""

    def __init__(self, *args: Any, safe: Safe, owners: Sequence[Owner], **kw: Any):
        super().__init__(*args, **kw)
        self.offer_period(safe)
        self.owners = owners
        has_contract = any(owner.kind == Owner.Kind.CONTRACT for owner in owners)
        if "is_proof_waived" in self.fields and not has_contract:
            del self.fields["is_proof_waived"]

    def offer_threshold(self, most: int, initial: int) -> None:
        """Let between one and so many owners approve."""
        numbers = range(1, most + 1)
        field = self.fields["threshold"]
        if isinstance(field, forms.TypedChoiceField):
            field.choices = [(number, f"{number} of {most}") for number in numbers]
        field.initial = min(initial, most)

    def offer_owners(self) -> None:
        """Let one of the owners be chosen."""
        field = self.fields["removed"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(row.address_text, named(row)) for row in self.owners]

    @property
    def removed_address(self) -> Address:
        """The owner that a valid form takes out."""
        return to_address(self.cleaned_data["removed"])


class ThresholdForm(ChangeForm):
    """How many owners must approve."""

    threshold = forms.TypedChoiceField(
        coerce=int,
        label="How many must approve",
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )
    is_proof_waived = forms.BooleanField(required=False)

    def __init__(self, *args: Any, safe: Safe, **kw: Any):
        super().__init__(*args, safe=safe, **kw)
        self.offer_threshold(len(self.owners), safe.threshold)


class RemovalForm(ThresholdForm):
    """Which owner goes, and how many of the others must approve then."""

    removed = forms.ChoiceField(
        label="Owner that goes",
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )

    def __init__(self, *args: Any, safe: Safe, **kw: Any):
        super().__init__(*args, safe=safe, **kw)
        self.offer_owners()
        self.offer_threshold(max(1, len(self.owners) - 1), safe.threshold)


class AdditionForm(ProposalPeriodMixin):
    """How many must approve once somebody new is an owner; it works once."""

    threshold = forms.TypedChoiceField(
        coerce=int,
        label="How many must approve afterwards",
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )
    idempotency_key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE},
    )

    def __init__(self, *args: Any, safe: Safe, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        count = safe.owners.current().count() + 1
        field = self.fields["threshold"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                (number, f"{number} of {count}") for number in range(1, count + 1)
            ]
        self.initial.setdefault("threshold", safe.threshold)
        self.offer_period(safe)


class ReplacementForm(ChangeForm):
    """Which owner goes, and who takes its place."""

    removed = forms.ChoiceField(
        label="Owner that goes",
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )
    new = forms.ChoiceField(
        label="New owner",
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )

    def __init__(self, *args: Any, candidates: dict[str, NewOwner], **kw: Any):
        super().__init__(*args, **kw)
        self.candidates = candidates
        self.offer_owners()
        field = self.fields["new"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                (text, self._named(text, new)) for text, new in candidates.items()
            ]

    @staticmethod
    def _named(text: str, new: NewOwner) -> str:
        name = "Wallet" if new.credential is None else passkey_label(new.credential)
        return f"{short_address(text)}, {name}"
