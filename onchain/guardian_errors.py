"""Why guardians are not changed in the way that somebody asked for, in words."""

from __future__ import annotations

from typing import Self

from onchain.errors import OwnerChangeRefused


class GuardianImpossible(OwnerChangeRefused):
    """Zero, the sentinel, the account itself, or a contract that signs for nobody."""

    message = (
        "Nobody can sign with this address, so it cannot be a guardian. Choose another "
        "one."
    )


class GuardianIsOwner(OwnerChangeRefused):
    """Who owns and guards would block a recovery."""

    message = (
        "This address is an owner of this account. Whoever is lost with the account "
        "cannot bring it back: choose somebody else."
    )


class GuardianTwice(OwnerChangeRefused):
    """The module refuses whom it has."""

    message = "Each guardian counts once. Take out whom you named twice."


class AlreadyGuardian(OwnerChangeRefused):
    """The module refuses whom it has."""

    message = "This address is a guardian of this account already."


class NotAGuardian(OwnerChangeRefused):
    """The chain does not have it among the guardians, or not any more."""

    message = "This address is no guardian of this account any more."


class GuardianNotProven(OwnerChangeRefused):
    """Nobody has seen it sign for exactly this account and role (R6, R62)."""

    message = (
        "This guardian has not shown that they can sign. Ask them to accept your "
        "invitation, then compare the words with them and confirm it."
    )


class NoGuardians(OwnerChangeRefused):
    """Recovery without anybody who could begin it."""

    message = "Choose at least one guardian."


class TooManyGuardians(OwnerChangeRefused):
    """More than one operation adds, and more than anybody keeps in mind."""

    message = "An account has ten guardians here at most. Choose fewer."


class NobodyIsWarned(OwnerChangeRefused):
    """A recovery that nobody notices is a theft with a delay (R58)."""

    message = (
        "Nobody would be warned of a recovery. Name somebody who is warned, or say "
        "that nobody can warn you."
    )


class LastGuardian(OwnerChangeRefused):
    """Without guardians the module is of no use."""

    message = "This is the last guardian. Turn recovery off instead."


class GuardianThresholdSame(OwnerChangeRefused):
    """Nothing would change."""

    message = "As many guardians must approve already."


class GuardianThresholdImpossible(OwnerChangeRefused):
    """More than the guardians there would be, or nobody."""

    @classmethod
    def of(cls, threshold: int, guardians: int) -> Self:
        """Return the error with both numbers."""
        them = "guardian" if guardians == 1 else "guardians"
        return cls(f"{threshold} cannot approve: there would be {guardians} {them}.")


class ModuleNotConfirmed(OwnerChangeRefused):
    """No operator has confirmed the code of any module of this chain (R22)."""

    message = (
        "Recovery is not offered on this chain yet: the operator of this site has not "
        "confirmed the recovery module's code there."
    )


class ModuleChanged(OwnerChangeRefused):
    """Whoever wrote the module's new code may hold the account (R22)."""

    message = (
        "The recovery module has other code than the operator of this site confirmed. "
        "Do not change guardians now: turn recovery off, which always goes on."
    )


class DelayImpossible(OwnerChangeRefused):
    """No module of this chain waits so long."""

    message = "Choose one of these times."


class RecoveryOn(OwnerChangeRefused):
    """One set of guardians at a time: the weaker of two would be what counts."""

    message = (
        "Recovery is set up for this account already. Change its guardians, or turn it "
        "off first."
    )


class RecoveryOff(OwnerChangeRefused):
    """The account does not let the module act, or the module has no guardian."""

    message = "Recovery is not set up for this account any more."


class RecoveryUnread(OwnerChangeRefused):
    """What the module says is still to be read."""

    message = (
        "The guardians of this account are being read from the chain. Try again in a "
        "moment."
    )


class NoRecoveryBegun(OwnerChangeRefused):
    """There is nothing that a cancellation would end."""

    message = "No recovery of this account is under way any more."
