"""What an account that is not live waits for, in words."""

from __future__ import annotations

from dataclasses import dataclass

from onchain.models import Safe
from onchain.services import deployment_waits, safes
from onchain.services.deployment_batches import TOO_MUCH_GAS
from onchain.services.deployment_waits import Reason

STEPS = {
    Safe.Status.FORMING: "Waiting for its owners",
    Safe.Status.QUEUED: "Waiting for its turn",
    Safe.Status.BROADCAST: "Sent to the chain",
    Safe.Status.DEPLOYED: "Live",
    Safe.Status.FAILED: "Stopped",
}
FORMING = (
    "Its first owners have yet to confirm each other. Nothing should be sent to it "
    "before that."
)
SOON = (
    "Your account is being put on the chain. It usually takes a few seconds, and it is "
    "safe to close this page. You can receive already."
)
ON_DEMAND = (
    "Your account is put on the chain with its first deposit or payment. You can "
    "receive already."
)
SELF_PAID_STEP = "Waits for your first payment"
SELF_PAID = (
    "You pay for setting this account up: your first payment from it does that as "
    "well, out of its own balance. You can receive already."
)
GONE_STEP = "Not on the chain"
GONE = (
    "The chain took back the block that this account was in. It is looked for every "
    "few seconds, and live again once it is found. Send nothing to its address until "
    "then: it was made elsewhere, so this site cannot put it on the chain."
)
WAITS = {
    Reason.PAUSED: (
        "Paused by the operator",
        "The operator paused setting up new accounts. Yours keeps its place in the "
        "queue, or deploy it yourself. You can receive already.",
    ),
    Reason.BUDGET: (
        "Waiting for tomorrow's budget",
        "Today's budget for new accounts is used up; yours is set up tomorrow at 00:00 "
        "UTC, or deploy it yourself. You can receive already.",
    ),
    Reason.NETWORK: (
        "Waiting for tomorrow",
        "Many accounts were opened from your network today; yours is set up from 00:00 "
        "UTC on, or deploy it yourself. You can receive already.",
    ),
    Reason.FEES: (
        "Waiting for lower network fees",
        "Network fees are higher than the operator pays. Yours is set up when they "
        "fall, or deploy it yourself. You can receive already.",
    ),
}
STOPPED = "The chain did not accept the deployment."
FAILURES = {
    TOO_MUCH_GAS: "Setting it up takes more gas than one transaction may use here.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingUp:
    """How far an account is on its way to the chain."""

    step: str
    text: str  # what it waits for, or why it stopped
    queue_place: int | None


def setting_up(safe: Safe) -> SettingUp:
    """Return the words for an account's state; of a live one only the step is shown."""
    if safe.deploys_itself:
        return SettingUp(step=SELF_PAID_STEP, text=SELF_PAID, queue_place=None)
    if safe.is_gone:
        return SettingUp(step=GONE_STEP, text=GONE, queue_place=None)
    place = safes.queue_place(safe=safe)
    reason = deployment_waits.reason(safe=safe)
    if reason is not None:
        step, text = WAITS[reason]
        return SettingUp(step=step, text=text, queue_place=place)
    if safe.status == Safe.Status.FORMING:
        step = STEPS[Safe.Status.FORMING]
        return SettingUp(step=step, text=FORMING, queue_place=None)
    if safe.status == Safe.Status.FAILED:
        text = FAILURES.get(safe.failure_code, STOPPED)
        return SettingUp(step=STEPS[Safe.Status.FAILED], text=text, queue_place=None)
    if safe.status == Safe.Status.QUEUED and safe.deployment_requested_at is None:
        step = "Waiting for its first deposit or payment"
        return SettingUp(step=step, text=ON_DEMAND, queue_place=None)
    step = STEPS[Safe.Status(safe.status)]
    return SettingUp(step=step, text=SOON, queue_place=place)
