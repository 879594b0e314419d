"""Why an account cannot be added, in words: what was found, and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason as the page shows it."""

    title: str
    what: str


NOTHING_CHANGED = "Nothing was added and nothing on the chain changed."
WORDS = {
    "no-code": Refusal(
        "There is no account at this address",
        "The chain has no code there. An account that waits for its first payment has "
        "none yet: it can be added once it is on the chain. Check that the address is "
        "one of this chain.",
    ),
    "not-a-safe": Refusal(
        "This is not a Safe account",
        "There is a contract at this address, but none that this site can work with.",
    ),
    "other-version": Refusal(
        "This account is of another version",
        "Accounts here are Safe 1.4.1, in the variant that writes events (SafeL2). "
        "This one runs other code.",
    ),
    "no-4337-module": Refusal(
        "This account cannot be moved from here",
        "Payments from here go through Safe’s 4337 module 0.3.0, and this account has "
        "not enabled it. Its owners can enable it where the account is used today.",
    ),
    "not-yours": Refusal(
        "None of your passkeys owns this account",
        "Its owners are others, or a passkey of yours with verifiers that this site "
        "does not know. Passkeys work on the site they were made for.",
    ),
    "other-verifiers": Refusal(
        "Your passkey is checked by other contracts there",
        "This account has your passkey verified by a contract that this site does not "
        "know, so it cannot say whether a payment would go through.",
    ),
    "mixed-verifiers": Refusal(
        "Your passkey is checked in another way than its other owner’s",
        "Somebody added this account here with a passkey that other verifiers check "
        "than yours. This site can work with one kind in an account: payments that "
        "you sign would not go through. Its owners can add your passkey’s other "
        "signer to the account, or you go on where the account was made.",
    ),
    "already-yours": Refusal(
        "You have this account already",
        "It is among your accounts.",
    ),
}


def refusal_of(code: str) -> Refusal:
    """Return the words of a refusal."""
    return WORDS[code]
