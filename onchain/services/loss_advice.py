"""Which one step helps most against what could happen to an account.

Pure, as ``loss_planner`` is: a step is advised because the account with that step taken
comes out better of the very same mishaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from onchain.services.loss_planner import (
    Answer,
    Key,
    Kind,
    Mishaps,
    Plan,
    Recovery,
    Result,
    answer,
)

DAY = 86_400  # seconds
SHORT_DELAY = 3 * DAY  # below it a weekend is enough to miss a recovery
FEW = 3  # of owners or guardians, of which two must approve


class Step(StrEnum):
    """What can be done for an account; the simplest ones first."""

    PROVE = "prove"  # let those sign who have never been seen to
    RAISE_THRESHOLD = "raise-threshold"  # let two owners approve
    ADD_SIGNER = "add-signer"
    FREE_GUARDIANS = "free-guardians"  # that depend on no web address
    MORE_GUARDIANS = "more-guardians"
    ADD_WALLET = "add-wallet"
    TWO_OF_THREE = "two-of-three"  # more owners, of whom two must approve
    SET_UP_RECOVERY = "set-up-recovery"
    WARN = "warn"  # let somebody be mailed; for who has nothing worse to mend
    LONGER_DELAY = "longer-delay"


SCORES = {Result.THEIRS: 0, Result.RACE: 1, Result.NOBODY: 2, Result.OURS: 4}
SAVED = 3  # a score from which on the account is its people's


def score(found: Answer) -> tuple[int, int]:
    """Return how an account comes out at worst and at best; more is better."""
    worst, best = (
        SCORES[end.result] + (end.result == Result.OURS and end.seconds == 0)
        for end in (found.worst, found.best)
    )
    return worst, best


def is_saved(found: Answer) -> bool:
    """Whether the account is its people's in the end, whatever nobody knows."""
    return score(found)[0] >= SAVED


def steps_of(plan: Plan, *, offers_recovery: bool) -> list[Step]:
    """Return the steps that make sense for an account at all."""
    everybody = [*plan.owners, *(k for r in plan.recoveries for k in r.guardians)]
    has_recovery = bool(plan.recoveries)
    makes_sense = {
        Step.PROVE: not all(key.is_known for key in everybody),
        Step.RAISE_THRESHOLD: plan.threshold == 1 and len(plan.owners) > 1,
        Step.ADD_SIGNER: True,
        Step.FREE_GUARDIANS: has_recovery,
        Step.MORE_GUARDIANS: has_recovery,
        Step.ADD_WALLET: True,
        Step.TWO_OF_THREE: plan.threshold == 1,
        Step.SET_UP_RECOVERY: offers_recovery and not has_recovery,
    }
    return [step for step in Step if makes_sense.get(step)]


def taken_on(plan: Plan, step: Step) -> Plan:
    """Return an account after a step, with new keys that no mishap is about."""
    if step == Step.PROVE:
        return replace(
            plan,
            owners=_proven(plan.owners),
            recoveries=[
                replace(each, guardians=_proven(each.guardians))
                for each in plan.recoveries
            ],
        )
    if step == Step.RAISE_THRESHOLD:
        return replace(plan, threshold=2)
    if step in (Step.ADD_SIGNER, Step.ADD_WALLET):
        kind = Kind.PASSKEY if step == Step.ADD_SIGNER else Kind.WALLET
        return replace(plan, owners=[*plan.owners, _new(kind, 0)])
    if step == Step.TWO_OF_THREE:
        missing = max(1, FEW - len(plan.owners))
        new = [_new(Kind.PASSKEY, place) for place in range(missing)]
        return replace(plan, owners=[*plan.owners, *new], threshold=2)
    if step == Step.SET_UP_RECOVERY:
        guardians = [_new(Kind.WALLET, place) for place in range(FEW)]
        new_one = Recovery(guardians=guardians, threshold=2, delay_seconds=7 * DAY)
        return replace(plan, recoveries=[new_one])
    if step in (Step.FREE_GUARDIANS, Step.MORE_GUARDIANS):
        return replace(plan, recoveries=[_guarded(r, step) for r in plan.recoveries])
    return plan


def advised(
    plan: Plan, mishaps: Mishaps, *, offers_recovery: bool = True
) -> Step | None:
    """Return the step that helps most against these mishaps; None: none does."""
    now = answer(plan, mishaps)
    if is_saved(now):
        return _last(plan, now)
    best_step, best_score = None, score(now)
    for step in steps_of(plan, offers_recovery=offers_recovery):
        then = answer(taken_on(plan, step), mishaps)
        if is_saved(then):
            return step
        if score(then) > best_score:
            best_step, best_score = step, score(then)
    return best_step


def first_danger(plan: Plan, every: Iterable[Mishaps]) -> Mishaps | None:
    """Return the first of these mishaps that costs the account; None: none does."""
    return next((each for each in every if not is_saved(answer(plan, each))), None)


def _last(plan: Plan, now: Answer) -> Step | None:
    if plan.recoveries and not now.warned:
        return Step.WARN
    is_short = any(each.delay_seconds < SHORT_DELAY for each in plan.recoveries)
    return Step.LONGER_DELAY if is_short else None


def _proven(keys: Sequence[Key]) -> list[Key]:
    return [replace(key, is_known=True) for key in keys]


def _new(kind: Kind, place: int) -> Key:
    return Key(thing=f"new-{place}", name="a new key", kind=kind)


def _guarded(recovery: Recovery, step: Step) -> Recovery:
    """Return a recovery with further guardians."""
    if step == Step.FREE_GUARDIANS:
        new = [_new(Kind.WALLET, place) for place in range(recovery.threshold)]
        return replace(recovery, guardians=[*recovery.guardians, *new])
    missing = max(1, FEW - len(recovery.guardians))
    new = [_new(Kind.PASSKEY, place) for place in range(missing)]
    return replace(
        recovery,
        guardians=[*recovery.guardians, *new],
        threshold=max(2, recovery.threshold),
    )
