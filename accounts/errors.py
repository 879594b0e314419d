"""Reasons why a ceremony ends without effect. Every message may be shown to anybody."""

from __future__ import annotations


class CeremonyFailed(Exception):
    """The ceremony ends here and nothing was changed; ``message`` says why in words.

    The words of this base class are the same for an unknown passkey, a wrong signature
    and a wrong user handle, so that a stranger learns nothing (R10).
    """

    code = "refused"
    message = (
        "This passkey could not be verified. Nothing was changed. "
        "Start again, or choose another passkey."
    )

    def __init__(self, message: str = "") -> None:
        self.message = message or self.message
        super().__init__(self.message)


class MalformedResponse(CeremonyFailed):
    """What arrived is not a WebAuthn response at all."""

    code = "malformed"
    message = (
        "The answer of this browser could not be read. Nothing was changed. "
        "Start again; if it happens again, try another browser."
    )


class CeremonyExpired(CeremonyFailed):
    """No open challenge fits: used, expired, or begun elsewhere. Never says which."""

    code = "expired"
    message = (
        "This step has expired or was already used. Nothing was changed. Start again."
    )


class WrongSite(CeremonyFailed):
    """The browser answered for another origin, another relying party, or in a frame."""

    code = "wrong-site"
    message = (
        "This passkey answered for another site. Nothing was changed. "
        "Check the address in the browser's address bar and start again."
    )


class UserNotVerified(CeremonyFailed):
    """The UV or UP flag is missing (R5)."""

    code = "user-not-verified"
    message = (
        "Your passkey provider did not report that it checked who you are. "
        "Nothing was changed. Set up a screen lock or PIN and start again."
    )


class ProviderRefused(CeremonyFailed):
    """The operator does not take passkeys of this provider (AAGUID policy)."""

    code = "provider"
    message = (
        "This site does not accept passkeys of this provider. Nothing was changed. "
        "Choose another provider, another phone, or a security key."
    )


class TooManyAttempts(CeremonyFailed):
    """This client did it too often within a minute (R38); says when it may go on."""

    code = "too-many"

    def __init__(self, *, seconds: int) -> None:
        self.retry_after = seconds
        unit = "second" if seconds == 1 else "seconds"
        super().__init__(
            "Too many attempts came from here within a minute. Nothing was changed. "
            f"Wait {seconds} {unit}, and start again."
        )


class UnusableKey(CeremonyFailed):
    """The passkey works for signing in but could never authorise anything on chain."""

    code = "unusable-passkey"


class CounterWentBack(CeremonyFailed):
    """A device-bound key showed an older counter than before: maybe a copy (R9)."""

    code = "counter-went-back"
    message = (
        "This passkey's use counter went back, which can mean that a copy of it "
        "exists. You were not signed in. Use another passkey, and check the device "
        "that holds this one."
    )


class AlreadySignedIn(CeremonyFailed):
    """A registration never makes a new person out of a signed-in one (R14)."""

    code = "signed-in"
    message = (
        "You are signed in already, so no new person was made. "
        "Sign out first if you want a separate wallet."
    )


class EnrolmentRefused(CeremonyFailed):
    """The operator's link is unknown, used, expired or replaced. Never says which."""

    code = "enrolment"
    message = (
        "This link does not work: it was used, has expired or was replaced. "
        "Print a new one with `manage.py create_operator`."
    )


class NotReady(CeremonyFailed):
    """What a registration opens cannot be opened yet; for hooks to raise."""

    code = "not-ready"
    message = "This site is still starting. Nothing was made. Try again in a moment."


class NotSettled(CeremonyFailed):
    """A passkey that was added lately may not do this yet (R14); words say when."""

    code = "not-settled"


class NothingToConfirm(CeremonyFailed):
    """No passkey of the person can confirm anything."""

    code = "no-passkey"
    message = "None of your passkeys can sign in any more, so nothing can be confirmed."


class SignedOut(CeremonyFailed):
    """The session ended while its page was still open."""

    code = "signed-out"
    message = "You are signed out. Nothing was changed. Sign in, and start again."


class OperatorsElsewhere(CeremonyFailed):
    """An operator's passkey is made and replaced by enrolment links alone (R62)."""

    code = "operator"
    message = (
        "Operators change their passkey on the terminal, with "
        "`manage.py create_operator NAME --replace`. Nothing was changed."
    )


class RemovalRefused(CeremonyFailed):
    """The passkey is needed (R13, I-15), or may not be removed by this one (R14)."""

    code = "passkey-needed"


class EmailLinkRefused(CeremonyFailed):
    """Unknown, used, expired, replaced, or somebody else's link. Never says which."""

    code = "email-link"
    message = (
        "This link does not work: it was used, has expired or was replaced, or you are "
        "signed in with another wallet than the one that asked for it. Nothing was "
        "changed. Ask for a new link on the Passkeys page."
    )


class OutsiderLinkRefused(CeremonyFailed):
    """Unknown, used, expired, or a link that nobody waits for. Never says which."""

    code = "email-link"
    message = (
        "This link does not work: it was answered, has expired, or nobody waits for "
        "the answer any more. Nothing was changed. Whoever named you can ask again."
    )


class EmailRefused(Exception):
    """No address was taken and no mail goes out; the text says why in words."""
