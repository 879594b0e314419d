"""What can go wrong here, each with words a person can read."""

from __future__ import annotations


class OnchainError(Exception):
    """Base of the domain's errors; ``str()`` is safe to show."""

    message = "Something went wrong. Nothing was sent."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)


class ChainNotReady(OnchainError):
    """The chain has not been verified yet, or it is not the one it should be."""

    message = "The chain is not connected yet. Try again in a moment."


class IdempotencyConflict(OnchainError):
    """The same form was sent twice with different content (security.md R50)."""

    message = "This form was already used for another payment. Open a new one."


class NotAwaitingSignature(OnchainError):
    """The operation was finished, changed or withdrawn elsewhere (R65)."""

    message = "This payment was changed in another tab. Nothing new was signed."


class OperationExpired(OnchainError):
    """The operation's time to sign is over."""

    message = "This payment expired before it was signed. Prepare it again."


class SignatureRefused(OnchainError):
    """The passkey's answer does not authorise this."""

    message = "That passkey's answer could not be accepted. Nothing was sent."


class LocalChainError(OnchainError):
    """The local chain cannot be made ready; the words are for who runs it."""
