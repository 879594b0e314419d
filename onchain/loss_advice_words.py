"""The one step that is advised against losing things, and the page where it is done."""

from __future__ import annotations

from dataclasses import dataclass

from onchain.services.loss_advice import Step
from onchain.services.loss_planner import Plan

STEPS = {
    Step.PROVE: (
        "Let every owner and guardian show here that their key signs. What nobody has "
        "seen to sign may not.",
        "See who has not",
        "onchain:owners",
    ),
    Step.RAISE_THRESHOLD: (
        "Let two owners approve. Then one stolen key can neither send nor cancel a "
        "recovery.",
        "Change how many must approve",
        "onchain:owner-threshold",
    ),
    Step.ADD_SIGNER: (
        "Add another signer: a passkey with another provider, a wallet, or a person "
        "you trust.",
        "Add a signer",
        "onchain:second-way",
    ),
    Step.FREE_GUARDIANS: (
        "Add guardians that depend on no passkey of this site, such as wallets: as "
        "many as must approve a recovery.",
        "Add a guardian",
        "onchain:guardian-add",
    ),
    Step.MORE_GUARDIANS: (
        "Add guardians. With two of three, one may be lost and one alone can begin "
        "nothing.",
        "Add a guardian",
        "onchain:guardian-add",
    ),
    Step.ADD_WALLET: (
        "Add a wallet as a signer. It depends on no passkey, and not on this site’s "
        "web address.",
        "Add a wallet",
        "onchain:wallet-owner",
    ),
    Step.TWO_OF_THREE: (
        "Have three signers, and let two of them approve. Then one may be lost, and "
        "one stolen key can neither send nor cancel a recovery.",
        "Add a signer",
        "onchain:second-way",
    ),
    Step.SET_UP_RECOVERY: (
        "Set up recovery with three guardians, of whom two must approve. Let two of "
        "them be wallets, which depend on no web address.",
        "Set up recovery",
        "onchain:recovery-set-up",
    ),
    Step.WARN: (
        "Let somebody be warned when a recovery begins. One that nobody notices is a "
        "theft with a delay.",
        "Choose who is warned",
        "onchain:alert-contacts",
    ),
    Step.LONGER_DELAY: (
        "Take longer to cancel. Minutes pass unnoticed: turn recovery off, and set it "
        "up again with days.",
        "Go to recovery",
        "onchain:recovery",
    ),
}
NONE_NEEDED = "Nothing needs to be done against this."
NONE_HELPS = "No single step helps against all of this at once."


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One step, and the page where it is done."""

    sentence: str
    label: str = ""  # of the link; empty: there is nothing to do
    url_name: str = ""


def advice(step: Step | None, plan: Plan, *, is_saved: bool) -> Advice:
    """Return a step in words."""
    if step is None:
        return Advice(sentence=NONE_NEEDED if is_saved else NONE_HELPS)
    sentence, label, url_name = STEPS[step]
    if step == Step.PROVE and all(key.is_known for key in plan.owners):
        url_name = "onchain:recovery"
    return Advice(sentence=sentence, label=label, url_name=url_name)
