"""Each change of guardians in words: its review, its progress, its line.

As in ``change_words``, whose stages these are in order: title, line, what goes on,
done, not done, and what is so afterwards.
"""

from __future__ import annotations

from onchain.models import UserOperation
from onchain.protocol.deployments import DAY
from onchain.protocol.recovery import delay_of
from onchain.protocol.types import Address
from onchain.templatetags.display import short_address

Kind = UserOperation.Kind

STAGES: dict[str, tuple[str, str, str, str, str, str]] = {
    Kind.SET_UP_RECOVERY: (
        "Set up recovery of {}",
        "Set up recovery",
        "Setting up recovery",
        "Recovery set up",
        "Recovery not set up",
        "Its guardians can bring {} back if its owners lose their keys.",
    ),
    Kind.ADD_GUARDIAN: (
        "Add a guardian of {}",
        "Add a guardian",
        "Adding a guardian",
        "Guardian added",
        "Guardian not added",
        "It can help to bring {} back.",
    ),
    Kind.REVOKE_GUARDIAN: (
        "Remove a guardian of {}",
        "Remove a guardian",
        "Removing a guardian",
        "Guardian removed",
        "Guardian not removed",
        "It cannot approve a recovery of {} any more.",
    ),
    Kind.CHANGE_GUARDIANS: (
        "Change how many guardians of {} must approve",
        "Change how many guardians must approve",
        "Changing how many guardians must approve",
        "As many guardians must approve now",
        "As many guardians must approve as before",
        "It holds for every recovery of {} from now on.",
    ),
    Kind.CANCEL_RECOVERY: (
        "Cancel the recovery of {}",
        "Cancel recovery",
        "Cancelling the recovery",
        "Recovery cancelled",
        "Recovery not cancelled",
        "The owners of {} stay who they are.",
    ),
    Kind.REMOVE_RECOVERY: (
        "Turn recovery of {} off",
        "Turn recovery off",
        "Turning recovery off",
        "Recovery turned off",
        "Recovery not turned off",
        "Nobody guards {} any more.",
    ),
}
CONTRACT = (
    "Nobody has shown that this contract can approve. Count it only as one guardian "
    "more than you need."
)
ONE_GUARDIAN = (
    "One guardian alone can then give this account new owners, unless an owner cancels "
    "in time. And if this one is lost too, nobody can bring it back."
)
ONE_ALONE = (
    "Each guardian alone can then give this account new owners, unless an owner "
    "cancels in time."
)
ALL_MUST = (
    "All {} guardians must then approve. If one of them is lost, nobody can bring the "
    "account back."
)
NOBODY = (
    "If the owners then lose their keys, the money stays where it is for ever: nobody "
    "can bring the account back."
)


def delay_words(seconds: int) -> str:
    """Return how long owners can cancel, in days or minutes."""
    return f"{seconds // DAY} days" if seconds >= DAY else f"{seconds // 60} minutes"


def delay_of_op(op: UserOperation) -> str:
    """Return the delay of the module that an operation is about; empty: of none."""
    seconds = delay_of(Address(op.module or b""))
    return "" if seconds is None else delay_words(seconds)


def guardians_after(op: UserOperation) -> int:
    """Return how many guardians there are once it is carried out."""
    before, named = len(op.guardian_list_before), len(op.guardian_list)
    match op.kind:
        case Kind.SET_UP_RECOVERY:
            return named
        case Kind.ADD_GUARDIAN:
            return before + 1
        case Kind.REVOKE_GUARDIAN:
            return before - 1
        case Kind.REMOVE_RECOVERY:
            return 0
        case _:
            return before


def sentence_of(op: UserOperation) -> str:
    """Return what is so afterwards, in one or two sentences."""
    count, threshold = guardians_after(op), op.new_threshold
    approve = f"{threshold} of {count} guardians must approve a recovery"
    match op.kind:
        case Kind.SET_UP_RECOVERY:
            said = (
                f"After this, {threshold} of {count} guardians can give this account "
                f"new owners. Its owners then have {delay_of_op(op)} to cancel that."
            )
        case Kind.ADD_GUARDIAN:
            added = short_address(op.guardian_list[0])
            said = f"After this, {added} is a guardian, and {approve}."
        case Kind.REVOKE_GUARDIAN:
            gone = short_address(Address(op.removed or b""))
            said = f"After this, {gone} is no guardian any more, and {approve}."
        case Kind.CHANGE_GUARDIANS:
            said = f"After this, {approve}."
        case Kind.CANCEL_RECOVERY:
            said = (
                "After this, the recovery that has begun is over, and what guardians "
                "approved does not count any more. The owners stay who they are."
            )
        case _:
            said = "After this, nobody can give this account new owners but its owners."
    if op.cancels_recovery:
        return f"{said} The recovery that has begun ends with it."
    return said


def detail_of(op: UserOperation) -> str:
    """Return what a change of guardians is about, for a list."""
    match op.kind:
        case Kind.ADD_GUARDIAN:
            return short_address(op.guardian_list[0])
        case Kind.REVOKE_GUARDIAN:
            return short_address(Address(op.removed or b""))
        case Kind.CANCEL_RECOVERY | Kind.REMOVE_RECOVERY:
            return delay_of_op(op)
        case _:
            return f"{op.new_threshold} of {guardians_after(op)} guardians"


def warnings_of(op: UserOperation) -> list[str]:
    """Return what can go wrong with the account afterwards."""
    if op.kind == Kind.REMOVE_RECOVERY:
        return [NOBODY]
    if op.new_threshold is None:
        return []
    count, found = guardians_after(op), []
    if op.is_proof_waived:
        found.append(CONTRACT)
    if op.new_threshold == 1:
        found.append(ONE_GUARDIAN if count == 1 else ONE_ALONE)
    elif op.new_threshold == count:
        found.append(ALL_MUST.format(count))
    return found
