"""Each kind of change of an account in words: its review, its progress, its line.

One sentence says what is so afterwards. A warning stands where money can be lost, and
nowhere else. Names never replace addresses: those stand beside these sentences.
"""

from __future__ import annotations

from dataclasses import dataclass

from onchain import guardian_words
from onchain.models import Owner, UserOperation
from onchain.models.operation_kinds import GUARDIAN_KINDS
from onchain.templatetags.display import passkey_label, passkey_phrase, short_address

Kind = UserOperation.Kind
FIRST_OWNERS = (
    "Whoever was an owner when this account was created can still put an account at "
    "this same address on other chains, and own it there. Receive here only."
)


@dataclass(frozen=True, slots=True)
class Stages:
    """What a change is called while it goes on; ``{}`` is the account's name."""

    title: str
    line: str  # in lists
    doing: str
    done: str
    not_done: str
    after: str  # once it is confirmed


STAGES: dict[str, Stages] = {
    Kind.ADD_PASSKEY: Stages(
        "Add a passkey to {}",
        "Add a passkey",
        "Adding a passkey",
        "Passkey added",
        "Passkey not added",
        "This passkey can pay from {}.",
    ),
    Kind.ADD_WALLET: Stages(
        "Add a wallet address to {}",
        "Add a wallet address",
        "Adding a wallet address",
        "Wallet address added",
        "Wallet address not added",
        "This address can approve for {}.",
    ),
    Kind.SWAP_OWNER: Stages(
        "Replace an owner of {}",
        "Replace an owner",
        "Replacing an owner",
        "Owner replaced",
        "Owner not replaced",
        "The new owner can approve for {}, and the old one cannot any more.",
    ),
    Kind.REMOVE_OWNER: Stages(
        "Remove an owner of {}",
        "Remove an owner",
        "Removing an owner",
        "Owner removed",
        "Owner not removed",
        "It cannot approve for {} any more.",
    ),
    Kind.CHANGE_THRESHOLD: Stages(
        "Change how many must approve in {}",
        "Change how many must approve",
        "Changing how many must approve",
        "As many must approve now",
        "As many must approve as before",
        "It holds for everything that {} does from now on.",
    ),
    Kind.DISABLE_MODULE: Stages(
        "Remove a module of {}",
        "Remove a module",
        "Removing a module",
        "Module removed",
        "Module not removed",
        "It cannot move anything in {} any more.",
    ),
    Kind.REMOVE_GUARD: Stages(
        "Remove the guard of {}",
        "Remove the guard",
        "Removing the guard",
        "Guard removed",
        "Guard not removed",
        "It cannot stop what the owners of {} sign any more.",
    ),
} | {kind: Stages(*words) for kind, words in guardian_words.STAGES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of an account as its review says it."""

    account: str  # its name
    title: str
    sentence: str
    warnings: tuple[str, ...]  # where money can be lost
    note: str
    stages: Stages
    removed_name: str  # what kind of thing that is
    owners_before: int
    owners_after: int
    is_joint: bool  # several must approve afterwards

    @property
    def after(self) -> str:
        """What is so once it is confirmed."""
        return self.stages.after.format(self.account)

    @property
    def states_threshold(self) -> bool:
        """Whether the number that must approve is part of what is signed."""
        return self.owners_after != self.owners_before or self.stages in _COUNTED


_COUNTED = (STAGES[Kind.CHANGE_THRESHOLD],)
REMOVED_NAMES = {
    Kind.DISABLE_MODULE: "Module that goes",
    Kind.REMOVE_GUARD: "Guard that goes",
    Kind.REVOKE_GUARDIAN: "Guardian that goes",
}


def change_of(
    *, op: UserOperation, owner_count: int, removed: Owner | None
) -> Change | None:
    """Return a change in words, None for what is none.

    Args:
        owner_count: how many owners the account has now.
        removed: the row of the owner that goes.
    """
    if not op.is_change:
        return None
    stages = STAGES[op.kind]
    is_of_guardians = op.kind in GUARDIAN_KINDS
    after = owner_count + (op.kind in {Kind.ADD_PASSKEY, Kind.ADD_WALLET})
    after -= op.kind == Kind.REMOVE_OWNER
    return Change(
        account=op.safe.name,
        title=stages.title.format(op.safe.name),
        sentence=guardian_words.sentence_of(op)
        if is_of_guardians
        else _sentence(op, _gone(op, removed), after),
        warnings=tuple(
            guardian_words.warnings_of(op) if is_of_guardians else _warnings(op, after)
        ),
        note=FIRST_OWNERS if op.kind in _TAKING else "",
        stages=stages,
        removed_name=REMOVED_NAMES.get(Kind(op.kind), "Owner that goes"),
        owners_before=owner_count,
        owners_after=after,
        is_joint=(op.new_threshold or op.safe.threshold) > 1,
    )


_TAKING = (Kind.REMOVE_OWNER, Kind.SWAP_OWNER)


def _new(op: UserOperation, *, starts: bool = False) -> str:
    """Return what people call who becomes an owner; empty where nobody does.

    Args:
        starts: a line, where the middle of a sentence is not what it stands in.
    """
    if op.new_signer is None:
        return ""
    passkey = op.new_credential
    if passkey is not None and op.invitation is None:
        return passkey_label(passkey) if starts else passkey_phrase(passkey)
    words = ["Passkey" if starts else "the passkey"]
    if passkey is None:
        words = ["Wallet" if starts else "the wallet", short_address(op.new_signer)]
    if op.invitation is not None:
        words += ["of", op.invitation.name]
    return " ".join(words)


def line_of(op: UserOperation) -> tuple[str, str]:
    """Return an operation's title and who it is about, for a list."""
    if op.kind in GUARDIAN_KINDS:
        detail = guardian_words.detail_of(op)
    elif op.new_signer is not None:
        detail = _new(op, starts=True)
    elif op.removed is not None:
        detail = short_address(op.removed)
    else:
        detail = f"{op.new_threshold} must approve"
    return STAGES[op.kind].line, detail


def _gone(op: UserOperation, removed: Owner | None) -> str:
    """Return what people call what goes; empty where nothing does."""
    if op.removed is None:
        return ""
    if removed is not None and removed.credential is not None:
        return passkey_phrase(removed.credential)
    return short_address(op.removed)


def _sentence(op: UserOperation, gone: str, after: int) -> str:
    threshold, new = op.new_threshold, _new(op)
    match op.kind:
        case Kind.ADD_PASSKEY | Kind.ADD_WALLET if threshold == 1:
            return f"After this, {new} can move this account alone."
        case Kind.ADD_PASSKEY | Kind.ADD_WALLET:
            return (
                f"After this, {new} counts as one of the {threshold} that must approve."
            )
        case Kind.SWAP_OWNER:
            return (
                f"After this, {new} approves in the place of {gone}, which cannot any "
                "more. As many must approve as before."
            )
        case Kind.REMOVE_OWNER:
            return (
                f"After this, {gone} cannot approve any more, and {threshold} of "
                f"{after} must."
            )
        case Kind.CHANGE_THRESHOLD:
            return f"After this, {threshold} of {after} must approve whatever it does."
        case Kind.DISABLE_MODULE:
            return "After this, this module cannot move anything in this account."
        case _:
            return "After this, nothing stops what the owners of this account sign."


def _warnings(op: UserOperation, after: int) -> list[str]:
    found = []
    threshold = op.new_threshold or op.safe.threshold
    if op.new_signer is not None and threshold == 1:
        what = "wallet" if op.new_credential_id is None else "passkey"
        yours = (
            "yours" if op.invitation_id is None else "of somebody you trust with it all"
        )
        found.append(
            f"Whoever holds this {what} can then move everything in this account "
            f"without asking you. Add it only if it is {yours}."
        )
    elif threshold == 1 and op.new_threshold is not None and (op.safe.threshold > 1):
        found.append("Each owner can then move everything in this account alone.")
    if op.new_signer is not None and op.is_proof_waived:
        found.append(
            "Nobody has shown that this contract can approve. If it cannot and the "
            "others are lost, the money stays where it is for ever."
        )
    elif op.new_threshold is not None and op.is_proof_waived:
        found.append(
            "A contract among the owners has never shown that it can approve. If it "
            "cannot, the money may stay where it is for ever."
        )
    if op.new_threshold is not None and op.new_threshold == after > 1:
        found.append(
            f"All {after} owners must then approve. If one of them is lost, nobody "
            "can move the money."
        )
    return found
