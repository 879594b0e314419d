"""The six steps of an authorisation, and what a waiting one waits for."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from onchain.models import UserOperation
from onchain.models.operation_states import Status

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


def steps_of(op: UserOperation) -> list[Step]:
    """Return the six steps with the current or failed one marked."""
    done = _done(op)
    broken = op.status in ENDED or op.status == Status.REVERTED
    steps = []
    for place, name in enumerate(NAMES):
        state = "done" if place < done else "todo"
        if place == done and not (broken and op.status == Status.WITHDRAWN):
            state = "failed" if broken else "current"
        hint = _hint(op, name) if state == "current" else ""
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
        "Included": "Waiting for the next block",
    }.get(name, "")


def still_trying(op: UserOperation) -> str:
    """Return why the worker has not got on yet, empty while all is well."""
    if not op.last_problem or op.status not in (Status.DRAFT, Status.SIGNED):
        return ""
    if "not live" in op.last_problem:
        return "The account is being set up first."
    if "nonce" in op.last_problem:
        return f"Another {op.noun} of this account goes first."
    return "The network or the bundler does not answer. Trying again."
