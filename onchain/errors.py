"""What can go wrong here, each with words a person can read."""

from __future__ import annotations

from typing import Self

from onchain.clients.errors import TransientClientError
from onchain.protocol.types import Address, checksum_address


class OnchainError(Exception):
    """Base of the domain's errors; ``str()`` is safe to show."""

    message = "Something went wrong. Nothing was sent."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)

    @classmethod
    def about(cls, noun: str) -> Self:
        """Return the error with its usual words about something else than a payment."""
        return cls(cls.message.replace("payment", noun))


class ChainNotReady(OnchainError):
    """The chain has not been verified yet, or it is not the one it should be."""

    message = "The chain is not connected yet. Try again in a moment."


class IdempotencyConflict(OnchainError):
    """The same form was sent twice with different content (security.md R50)."""

    message = "This form was already used for another payment. Open a new one."


class NotAwaitingSignature(OnchainError):
    """The operation was finished, changed or withdrawn elsewhere (R65)."""

    message = "This payment was changed in another tab. Nothing new was signed."


class NotApprovedYet(OnchainError):
    """More owners have to sign."""

    message = "Not enough owners approved this payment yet. Nothing was sent."


class ContactRefused(OnchainError):
    """The address book does not take it; the words say why."""


class ModuleCodeRefused(OnchainError):
    """A recovery module's code is not to be relied on; the words say why."""


class AlertContactRefused(OnchainError):
    """Nobody is asked to be warned; the words say why."""


class NicknameRefused(OnchainError):
    """No nickname stands for the account; the words say why."""


class NothingToCancel(OnchainError):
    """The operation cannot be carried out any more, or nobody ever signed it."""

    message = "There is nothing to cancel: this payment can no longer be carried out."
    successor = "A newer version of it waits. Withdraw that one first."


class NobodyToRemind(OnchainError):
    """Nobody of whom this site knows could still approve."""

    message = (
        "Nobody here can be reminded: the missing owners are no people of this site."
    )


class OperationExpired(OnchainError):
    """The operation's time to sign is over."""

    message = "This payment expired before it was signed. Prepare it again."


class SignatureRefused(OnchainError):
    """The passkey's answer does not authorise this."""

    message = "That passkey's answer could not be accepted. Nothing was sent."


class AnotherAccountSigned(SignatureRefused):
    """A browser wallet has several accounts, and another one was active."""

    @classmethod
    def instead_of(cls, wanted: Address, used: Address) -> Self:
        """Return the error that names both addresses whole."""
        return cls(
            f"Your wallet signed with another account: {checksum_address(used)}. "
            f"Asked was {checksum_address(wanted)}. Choose that one in your wallet and "
            "try again. Nothing was changed."
        )


class OwnerChangeRefused(OnchainError):
    """An account's owners cannot be changed in this way, or not now."""

    message = "The owners of this account cannot be changed so. Nothing was prepared."


class NotYourAccount(OwnerChangeRefused):
    """No usable passkey of the person signs for the account."""

    message = "None of your passkeys can sign for this account."


class NotYourPasskey(OwnerChangeRefused):
    """The new owner must be a passkey that the same person signs in with."""

    message = "This passkey is not one of yours, or it was removed."


class AccountNotLive(OwnerChangeRefused):
    """There is nothing on chain yet whose owners could change."""

    message = "This account is not live yet. It is being set up; try again in a moment."


class PasskeyNotProven(OwnerChangeRefused):
    """Nobody adds a key of which the chain has not seen that it signs (R6)."""

    message = "This passkey has not shown yet that it can sign for this account."


class AlreadyOwner(OwnerChangeRefused):
    """The chain has it among the owners."""

    message = "This passkey can sign for this account already."

    @classmethod
    def about_wallet(cls) -> Self:
        """Return the error with words about an address instead of a passkey."""
        return cls("This address is an owner of this account already.")


class SignerImpossible(OwnerChangeRefused):
    """The passkey's address is one that no Safe takes as an owner."""

    message = "This passkey's address cannot be an owner of this account."


class WalletNotProven(OwnerChangeRefused):
    """Nobody has seen that somebody holds this wallet (R6)."""

    message = (
        "This wallet has not shown yet that it can sign for this account. Connect it "
        "and sign the text that it is shown."
    )


class OwnerChangeInFlight(OwnerChangeRefused):
    """One change of an account's owners at a time (security.md R67)."""

    message = "Another change of this account's owners is under way. Finish that first."


class InvitationRefused(OnchainError):
    """A link does not work, or what was asked of it cannot be."""

    message = (
        "This link does not work: it was used, taken back, or is older than 7 days. "
        "Nothing was changed. Ask who sent it for a new one."
    )


class RecoveryRefused(OnchainError):
    """A claim to recover an account cannot be so, or not now."""

    message = "This account cannot be recovered so. Nothing was asked of anybody."


class DrillRefused(OnchainError):
    """A rehearsal of a recovery cannot be so, or not any more."""

    message = "This cannot be rehearsed so. Nothing was asked of anybody."


class FormationRefused(OnchainError):
    """A list of first owners cannot be so, or cannot be changed any more."""

    message = "This list of owners cannot be changed so. Nothing was changed."


class NotTheOnlyKey(OnchainError):
    """Somebody acknowledges what is not so: the account has another way in."""

    message = "This account does not hang on one passkey. Nothing was changed."


class NotNow(TransientClientError):
    """A relayer transaction has to wait, for funds or lower fees; others may go."""


class OverBudget(NotNow):
    """Today's budget of a pool has no room for it (security.md R68)."""

    def __init__(self, pool: str) -> None:
        self.pool = pool
        super().__init__(f"today's budget is used up: {pool}")


class QuotaTaken(OnchainError):
    """A network's last places in today's deployments went to another worker."""


class TooManyAccounts(OnchainError):
    """One person opens more accounts than one needs (security.md R68)."""


class TooManyLookups(OnchainError):
    """One person asks the chain about too many addresses."""

    message = "You looked up many addresses in the last hour. Try again later."


class LocalChainError(OnchainError):
    """The local chain cannot be made ready; the words are for who runs it."""


class ReindexRefused(OnchainError):
    """There is nothing to read again there."""
