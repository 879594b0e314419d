"""The choice of how long a proposal may be signed, for every form that makes one."""

from __future__ import annotations

from django import forms

from onchain.models import Safe
from onchain.services.proposal_periods import USUAL, Period

UNKNOWN_PERIOD = "Choose one of these times."


class ProposalPeriodMixin(forms.Form):
    """A form whose operation may need several signatures.

    Its template includes ``components/_proposal_period.html``; its view hands
    ``period_seconds()`` on. Where one owner signs alone the field is not there.
    """

    period = forms.TypedChoiceField(
        choices=Period.choices,
        coerce=int,
        required=False,
        empty_value=None,
        initial=USUAL.value,
        label="Time to approve",
        error_messages={"invalid_choice": UNKNOWN_PERIOD},
    )

    def offer_period(self, safe: Safe) -> None:
        """Keep the choice only where more than one has to sign; call it once."""
        if safe.threshold == 1:
            del self.fields["period"]

    def period_seconds(self) -> int | None:
        """Return what a valid form chose, the usual time if nothing was.

        None where one owner signs alone.
        """
        if "period" not in self.fields:
            return None
        chosen: int | None = self.cleaned_data.get("period")
        return USUAL.value if chosen is None else chosen
