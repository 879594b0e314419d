"""Forms about the people of an account."""

from __future__ import annotations

from django import forms

from accounts.visible_text import visible
from onchain.models import KeyProof, Role
from onchain.services.invitations import NAME_CHARACTERS

TOKEN_CHARACTERS = 64
WORDS_CHARACTERS = 200
GUARDIAN = KeyProof.Role.GUARDIAN
LABELS: dict[str, str] = {
    Role.OWNER: "Co-owner",
    Role.APPROVER: "Approver",
    Role.VIEWER: "Viewer",
    GUARDIAN: "Guardian",
}
MEANING: dict[str, str] = {
    Role.OWNER: "Sends, approves and changes owners, as you do. Their key becomes an "
    "owner on the chain.",
    Role.APPROVER: "Approves what owners ask for, and asks for nothing. Their key "
    "becomes an owner on the chain, and only this site holds it back.",
    Role.VIEWER: "Sees balance, activity and owners. Signs nothing.",
    GUARDIAN: "Can never move the money, and sees nothing here. With others can give "
    "the account new owners if you lose your keys.",
}
FOR_GUEST: dict[str, str] = {
    Role.OWNER: "You send, approve and change owners, like those who own it already. "
    "Your key becomes an owner on the chain.",
    Role.APPROVER: "You approve what the owners ask for, and ask for nothing yourself. "
    "Your key becomes an owner on the chain.",
    Role.VIEWER: "You see its balance, its activity and its owners. You sign nothing.",
    GUARDIAN: "You can never move the money, and you see nothing of the account. If "
    "its owners lose their keys, you and the other guardians can give it new owners. "
    "The person asks you in person then: compare six words with them by voice before "
    "you approve, and never approve for anybody who writes or calls out of the blue.",
}


class InviteForm(forms.Form):
    """Whom a link is for, and what they may do."""

    name = forms.CharField(
        max_length=NAME_CHARACTERS,
        error_messages={"required": "Say whom it is for."},
    )
    role = forms.ChoiceField(
        choices=list(LABELS.items()),
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose what they may do.",
            "invalid_choice": "Choose what they may do.",
        },
    )

    def clean_name(self) -> str:
        """Return the name with what cannot be seen made visible (security.md R34)."""
        return visible(self.cleaned_data["name"], limit=NAME_CHARACTERS)

    @property
    def role_choices(self) -> list[tuple[str, str, str]]:
        """Each role with its label and what it means."""
        return [(role, label, MEANING[role]) for role, label in LABELS.items()]


class LinkForm(forms.Form):
    """The token of an invitation's link."""

    token = forms.CharField(max_length=TOKEN_CHARACTERS)


class ConfirmWordsForm(forms.Form):
    """The words that an owner saw and compared."""

    words = forms.CharField(max_length=WORDS_CHARACTERS)
