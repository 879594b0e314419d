"""Why an account is not changed in the way that somebody asked for, in words."""

from __future__ import annotations

from typing import Self

from onchain.errors import NotYourAccount, OwnerChangeRefused


class AddressImpossible(OwnerChangeRefused):
    """Zero, the sentinel, or the account itself: no Safe takes them."""

    message = "Nobody can sign with this address, so it cannot be an owner."


class AddressIsGuardian(OwnerChangeRefused):
    """Who owns and guards would block a recovery."""

    message = (
        "This address is a guardian of this account. Remove it as a guardian first, "
        "or choose another one."
    )


class InvitationNotConfirmed(OwnerChangeRefused):
    """The key of an invitation counts once an owner has compared the words (R62)."""

    message = (
        "This invitation is not confirmed any more. Compare the words with the other "
        "person again, then confirm it."
    )


class NotAnOwner(OwnerChangeRefused):
    """The chain does not have it among the owners, or not any more."""

    message = "This address is no owner of this account any more."


class LastWayIn(OwnerChangeRefused):
    """Nobody would be left who is known to be able to approve (R13)."""

    message = (
        "Without this owner nobody would be left who has shown that they can approve, "
        "and the money could never be moved. Add another owner first."
    )


class ThresholdSame(OwnerChangeRefused):
    """Nothing would change."""

    message = "As many must approve already."


class ThresholdImpossible(OwnerChangeRefused):
    """More than the owners there would be, or nobody."""

    @classmethod
    def of(cls, threshold: int, owners: int) -> Self:
        """Return the error with both numbers."""
        them = "owner" if owners == 1 else "owners"
        return cls(f"{threshold} cannot approve: there would be {owners} {them}.")


class ThresholdUnproven(OwnerChangeRefused):
    """More would have to approve than have shown that they can."""

    @classmethod
    def of(cls, threshold: int, able: int) -> Self:
        """Return the error with both numbers."""
        known = "Nobody has" if able == 0 else f"Only {able} of the owners"
        have = "" if able == 0 else " has" if able == 1 else " have"
        return cls(
            f"{known}{have} shown that they can approve, and {threshold} would have "
            f"to. Choose a lower number, or let the others prove themselves first."
        )


class PasskeyTooYoung(OwnerChangeRefused):
    """A new passkey does not remove what was there before it (R14)."""

    @classmethod
    def until(cls, moment: str) -> Self:
        """Return the error with the time from which on it may."""
        return cls(
            "A passkey that was added less than 72 hours ago cannot remove an owner "
            f"that was there before it. Use an older one, or come back after {moment}."
        )


class SetUpFirst(OwnerChangeRefused):
    """The account's next operation puts its own signer at the head of its owners."""

    message = (
        "This account's next payment completes its setting up. Make that first; then "
        "its owners can be replaced and removed."
    )


class ConfigurationGone(OwnerChangeRefused):
    """What is to be removed is not there, or is still to be read."""

    message = "The chain does not show this in the account any more."


class ConfigurationUnread(OwnerChangeRefused):
    """How the account is set up on chain is still to be read."""

    message = (
        "How this account is set up is being read from the chain. Try again in a "
        "moment."
    )


class AccountBlocked(OwnerChangeRefused):
    """The chain would ask another contract whether the owners signed."""

    message = (
        "Nothing can be sent or changed from here now: Safe's 4337 module is switched "
        "off in this account, or another contract answers in its place. The owners "
        "page says how its owners put it back. Nothing was prepared."
    )


class MayNotPropose(NotYourAccount):
    """An approver approves what the owners propose."""

    message = "You can approve changes of this account, and its owners propose them."
