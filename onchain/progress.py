"""The six steps of an authorisation, and what a waiting one waits for."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from onchain.failures.rpc import WAITING
from onchain.models import UserOperation
from onchain.models.operation_states import Carrier, Status

NAMES = ("Prepared", "Reviewed", "Signed", "Sent", "Included", "Confirmed")
# How many of the six steps are done in each state.
DONE = {
    Status.DRAFT: 0,
    Status.AWAITING_SIGNATURES: 1,
    Status.SIGNED: 3,
    Status.SUBMITTED: 4,
    Status.INCLUDED: 5,
    Status.REVERTED: 5,
}
ENDED = (Status.REJECTED, Status.EXPIRED, Status.WITHDRAWN, Status.REPLACED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as the page shows it."""

    name: str
    state: str  # done, current, todo or failed
    hint: str = ""


def steps_of(op: UserOperation, *, approved: str = "") -> list[Step]:
    """Return the six steps with the current or failed one marked.

    Args:
        approved: how many of several approved; empty where one owner signs alone.
    """
    done = _done(op)
    if approved and op.status == Status.AWAITING_SIGNATURES and op.was_ever_signed:
        done = NAMES.index("Signed")  # who signed has reviewed it
    broken = op.status in ENDED or op.status == Status.REVERTED
    steps = []
    for place, name in enumerate(NAMES):
        state = "done" if place < done else "todo"
        if place == done and not (broken and op.status == Status.WITHDRAWN):
            state = "failed" if broken else "current"
        hint = ""
        if state == "current":
            is_approving = op.status == Status.AWAITING_SIGNATURES
            hint = approved if approved and is_approving else _hint(op, name)
        steps.append(Step(name=name, state=state, hint=hint))
    return steps


def _done(op: UserOperation) -> int:
    status = Status(op.status)
    if status == Status.REVERTED:
        return 4
    if status == Status.INCLUDED and op.is_confirmed:
        return len(NAMES)
    if status not in ENDED:
        return DONE[status]
    if op.submitted_at is not None:
        return 4
    if op.signed_at is not None:
        return 3
    return 0 if op.prepared_at is None else 1


def _hint(op: UserOperation, name: str) -> str:
    if name == "Confirmed":
        return f"{op.confirmations} of {settings.CONFIRMATIONS} blocks"
    return {
        "Prepared": "Working out nonce, gas and fee",
        "Reviewed": "Waiting for you",
        "Sent": "Handing it to the network",
        "Included": _carried(op),
    }.get(name, "")


def _carried(op: UserOperation) -> str:
    """Return who has it and for how long, in words for people."""
    if op.carrier == Carrier.RELAYER:
        return "Sent by this site's own relayer"
    if not op.carrier or op.handed_at is None:
        return "Waiting for the next block"
    who = "second bundler" if op.carrier == Carrier.SECOND_BUNDLER else "bundler"
    seconds = max(0, int((timezone.now() - op.handed_at).total_seconds()))
    return f"Handed to the {who} {age_text(seconds)} ago"


def age_text(seconds: int) -> str:
    """Return an age in the largest unit that is whole, such as ``12 s``."""
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min"


def another_way(op: UserOperation) -> str:
    """Return that the first carrier did not get it into a block; empty before that."""
    if op.status != Status.SUBMITTED or op.carrier in ("", Carrier.BUNDLER):
        return ""
    return (
        "Not included yet, trying another way. It is the same "
        f"{op.noun}, and the chain carries it out once at most."
    )


def still_trying(op: UserOperation) -> str:
    """Return why the worker has not got on yet, empty while all is well."""
    if not op.last_problem or op.status not in (Status.DRAFT, Status.SIGNED):
        return ""
    if "not live" in op.last_problem:
        return "The account is being set up first."
    if "owners are being read" in op.last_problem:
        return "The account was set up a moment ago. Its owners are being read."
    if "nonce" in op.last_problem:
        return f"Another {op.noun} of this account goes first."
    return next(words for part, words in WAITING.items() if part in op.last_problem)
