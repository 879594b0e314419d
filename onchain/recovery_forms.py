"""Forms about who may bring an account back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from onchain.forms import RecipientField
from onchain.guardian_words import delay_words
from onchain.models import Safe
from onchain.owner_forms import CHOOSE, INCOMPLETE
from onchain.proposals import ProposalPeriodMixin
from onchain.protocol.deployments import DAY, RECOVERY_MODULES
from onchain.protocol.types import Address, checksum_address, to_address
from onchain.services import guardian_rules
from onchain.services.guardian_names import NamedGuardian

USUAL_DELAY = 7 * DAY  # seconds
UNWARNED = "Name somebody who is warned first, or tick this."
UNDERSTOOD = "Tick this first: nobody has shown that this contract can sign."


class GuardianChangeForm(ProposalPeriodMixin):
    """What every change of guardians asks for; it works once."""

    idempotency_key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE},
    )

    def __init__(self, *args: Any, safe: Safe, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.safe = safe
        self.offer_period(safe)

    def offer(self, name: str, choices: Sequence[tuple[Any, str]]) -> None:
        """Fill in the choices of a field."""
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(choices)


class GuardianThresholdForm(GuardianChangeForm):
    """How many guardians must approve a recovery."""

    threshold = forms.TypedChoiceField(
        coerce=int,
        label="How many guardians must approve",
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )

    def __init__(self, *args: Any, count: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = range(1, count + 1)
        self.offer("threshold", [(each, f"{each} of {count}") for each in numbers])


class ContractMixin(forms.Form):
    """A contract that guards on somebody's word, such as another Safe."""

    contract = RecipientField(required=False, label="A contract’s address")
    understood = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """Ask for the words of whoever adds what has shown nothing."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_named = cleaned.get("contract") is not None
        if is_named and not cleaned.get("understood"):
            self.add_error("understood", ValidationError(UNDERSTOOD))
        return cleaned


class SetUpForm(ContractMixin, GuardianChangeForm):
    """Who guards, how many of them must approve, and how long owners can cancel."""

    guardians = forms.MultipleChoiceField(required=False, error_messages={})
    threshold = forms.TypedChoiceField(
        coerce=int,
        label="How many guardians must approve",
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )
    delay = forms.TypedChoiceField(
        coerce=int,
        label="Time to cancel",
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )

    unwarned = forms.BooleanField(error_messages={"required": UNWARNED})

    def __init__(
        self,
        *args: Any,
        candidates: Sequence[NamedGuardian],
        is_settled: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.candidates = candidates
        if is_settled:  # somebody is warned, or an owner said that nobody can be
            del self.fields["unwarned"]
        self.offer(
            "guardians", [(each.address_text, each.address_text) for each in candidates]
        )
        most = min(len(candidates) + 1, guardian_rules.MAX_GUARDIANS)
        self.offer("threshold", [(each, str(each)) for each in range(1, most + 1)])
        delays = guardian_rules.offered_delays(self.safe.chain)
        self.offer("delay", [(each, delay_words(each)) for each in delays])
        self.initial.setdefault("delay", USUAL_DELAY)
        self.initial.setdefault("threshold", min(2, max(1, len(candidates))))

    @property
    def chosen(self) -> list[Address]:
        """Return whom a valid form names, the contract last."""
        named = [to_address(text) for text in self.cleaned_data["guardians"]]
        contract: Address | None = self.cleaned_data["contract"]
        return named if contract is None else [*named, contract]

    @property
    def module(self) -> Address:
        """Return the module that waits as long as a valid form says."""
        return RECOVERY_MODULES[self.cleaned_data["delay"]]

    @property
    def is_ticked(self) -> dict[str, bool]:
        """Return which candidates are chosen, by address."""
        wanted = self["guardians"].value() or []
        return {
            each.address_text: each.address_text in wanted for each in self.candidates
        }


class NewGuardianForm(ContractMixin, GuardianThresholdForm):
    """Who becomes a guardian, and how many must approve then."""

    guardian = forms.ChoiceField(
        required=False,
        label="New guardian",
        error_messages={"invalid_choice": CHOOSE},
    )

    def __init__(
        self, *args: Any, candidates: Sequence[NamedGuardian], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.candidates = candidates
        self.offer("guardian", [("", "Nobody of these"), *map(_choice, candidates)])
        if candidates:
            self.initial.setdefault("guardian", candidates[0].address_text)

    def clean(self) -> dict[str, Any]:
        """Ask for one guardian, and no more."""
        cleaned = super().clean()
        is_contract = cleaned.get("contract") is not None
        if is_contract == bool(cleaned.get("guardian")):
            self.add_error("guardian", ValidationError("Choose one new guardian."))
        return cleaned

    @property
    def chosen(self) -> Address:
        """Return whom a valid form names."""
        contract: Address | None = self.cleaned_data["contract"]
        if contract is not None:
            return contract
        return to_address(self.cleaned_data["guardian"])


class RevocationForm(GuardianThresholdForm):
    """Which guardian goes, and how many of the others must approve then."""

    guardian = forms.ChoiceField(
        label="Guardian that goes",
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )

    def __init__(
        self, *args: Any, guardians: Sequence[NamedGuardian], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.offer("guardian", [_choice(each) for each in guardians])

    @property
    def chosen(self) -> Address:
        """Return whom a valid form names."""
        return to_address(self.cleaned_data["guardian"])


def _choice(guardian: NamedGuardian) -> tuple[str, str]:
    text = checksum_address(guardian.address)
    short = f"{text[:6]}…{text[-4:]}"
    return text, f"{guardian.name or guardian.kind}, {short}"
