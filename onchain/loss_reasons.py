"""Why losing things comes out for an account as it does, and who could steal it."""

from __future__ import annotations

from onchain.guardian_words import delay_words
from onchain.loss_words import begin, joined, listed, some_of
from onchain.services.loss_planner import (
    SITE,
    Answer,
    Key,
    Mishap,
    Mishaps,
    Plan,
    Quorum,
    RecoveryAnswer,
    Result,
    Sure,
)
from onchain.services.loss_plans import EMAIL


def reasons(plan: Plan, found: Answer, mishaps: Mishaps) -> list[str]:
    """Return why it comes out so, for the people of the account."""
    lines = [_approvals(found.ours, len(plan.owners), "owner", "what the account does")]
    for each in found.recoveries:
        count = len(each.recovery.guardians)
        lines.append(_approvals(each.ours, count, "guardian", "a recovery"))
        lines.append(f"Whom they approve owns the account {_delay(each)} later.")
    if not found.recoveries:
        lines.append("No guardians are set up.")
    doubts = {key.thing: key for key in _doubted(found)}
    lines += [_doubt(key, mishaps) for key in doubts.values()]
    lines += [
        f"{begin(key.name)} is synced: its provider brings it to another device."
        for key in found.ours.sure
        if (key.on | key.perhaps_on) & mishaps.keys()
    ]
    if EMAIL in mishaps:
        lines.append("Your e-mail opens nothing here. It carries warnings only.")
    if mishaps.get(SITE) == Mishap.LOST:
        lines.append(
            "Passkeys answer to this site’s web address only. If it is back, they can "
            "sign again."
        )
    if mishaps.get(SITE) == Mishap.STOLEN:
        lines.append(
            "Whoever has this site’s web address can let a page ask for anything. "
            "Nobody should use a passkey there any more."
        )
    return lines


def _approvals(quorum: Quorum, count: int, noun: str, what: str) -> str:
    plural = noun if count == 1 else f"{noun}s"
    words = f"{quorum.needed} of {count} {plural} must approve {what}."
    if quorum.sure:
        words += f" Left: {listed(quorum.sure)}."
    if quorum.maybe:
        words += f" Perhaps: {listed(quorum.maybe)}."
    return words if quorum.sure or quorum.maybe else f"{words} None is left."


def _doubted(found: Answer) -> list[Key]:
    guardians = [key for each in found.recoveries for key in each.ours.maybe]
    return [*found.ours.maybe, *guardians]


def _doubt(key: Key, mishaps: Mishaps) -> str:
    if not key.is_known:
        return f"Nobody here has seen {key.name} sign."
    if key.provider in mishaps:
        return f"{begin(key.name)} works only where a device still has it."
    return f"{begin(key.name)} may itself depend on this site."


def thieves(plan: Plan, found: Answer, mishaps: Mishaps) -> list[str]:
    """Return who could steal the account, and what stops them."""
    lines = []
    taken = [*found.theirs.sure, *found.theirs.maybe]
    has = "has" if found.theirs.sure and not found.theirs.maybe else "may have"
    if found.theirs.reached:
        lines.append(
            f"The thief {has} {listed(taken)}: enough to send everything at once, and "
            "to cancel every recovery."
        )
    elif taken:
        lines.append(
            f"The thief {has} {listed(taken)}. {plan.threshold} must approve, to send "
            "and to cancel a recovery: that is not enough for either."
        )
    for each in found.recoveries:
        lines += _by_guardians(each, found, mishaps)
    if lines:
        return lines
    if Mishap.STOLEN in mishaps.values():
        return ["Nothing of it opens the account, or begins a recovery."]
    lines = [_alone(plan)]
    for recovery in plan.recoveries:
        count = f"{recovery.threshold} of {len(recovery.guardians)} guardians"
        lines.append(
            f"{count} could begin a recovery behind your back. The owners then have "
            f"{delay_words(recovery.delay_seconds)} to cancel it. "
            f"{_warned(found, mishaps)}"
        )
    return lines


def _alone(plan: Plan) -> str:
    if plan.threshold == 1:
        return (
            "Whoever has the key of one owner can send everything, and cancel every "
            "recovery. Where two must approve, one stolen key is not enough."
        )
    return (
        f"Whoever has the keys of {plan.threshold} owners can send everything, and "
        "cancel every recovery. With fewer they can do neither."
    )


def _by_guardians(each: RecoveryAnswer, found: Answer, mishaps: Mishaps) -> list[str]:
    taken = [*each.theirs.sure, *each.theirs.maybe]
    if not taken:
        return []
    has = "has" if each.theirs.sure and not each.theirs.maybe else "may have"
    if not each.theirs.reached:
        return [
            f"Of the guardians, the thief {has} {listed(taken)}. {each.theirs.needed} "
            "must approve: not enough to begin a recovery."
        ]
    begins = (
        f"Of the guardians, the thief {has} {listed(taken)}: enough to begin a "
        f"recovery, and to own the account {_delay(each)} later unless somebody stops "
        "it."
    )
    return [begins, f"{_stopping(each, found)} {_warned(found, mishaps)}"]


def _stopping(each: RecoveryAnswer, found: Answer) -> str:
    if found.ours.reached == Sure.YES:
        who = some_of(found.ours.sure, found.ours.needed)
        return f"Until then it can be cancelled by {who}."
    if found.ours.reached == Sure.MAYBE:
        who = some_of([*found.ours.sure, *found.ours.maybe], found.ours.needed)
        return f"Until then it can perhaps be cancelled by {who}."
    if found.worst.result == Result.OURS:
        return "No owner can cancel it, but more guardians, or faster ones, come first."
    return "No owner can cancel it."


def _warned(found: Answer, mishaps: Mishaps) -> str:
    if SITE in mishaps:
        return "This site cannot warn anybody then."
    if not found.warned:
        return "Nobody is warned by mail; only who looks here sees it."
    return f"Warned by mail: {joined(found.warned, 'and')}."


def _delay(each: RecoveryAnswer) -> str:
    return delay_words(each.recovery.delay_seconds)
