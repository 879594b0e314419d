"""What a rehearsal has shown: who answered, how fast, and whether it would be enough.

Judged by who guards the account at that moment and how many of them must approve, for a
recovery would be; of those only whom it asked. What was so at its end stays in its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.models import DrillAnswer, RecoveryDrill
from onchain.protocol.types import Address
from onchain.services import guardian_names, recovery_setups
from onchain.services.guardian_names import NamedGuardian

Status = DrillAnswer.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many of whom answered."""

    answered: int
    asked: int
    needed: int  # 0: nobody could recover the account

    @property
    def is_enough(self) -> bool:
        """Whether those who answered could recover the account."""
        return 0 < self.needed <= self.answered


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillLine:
    """One guardian who was asked."""

    named: NamedGuardian
    is_gone: bool  # it guards the account no more
    answer: DrillAnswer | None  # the newest; None: not yet

    @property
    def has_answered(self) -> bool:
        """Whether its signature counts."""
        return self.answer is not None and self.answer.status == Status.VALID


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everybody who was asked, in the module's order, and what that comes to."""

    lines: Sequence[DrillLine]
    tally: Tally
    unasked: int  # guardians who came after it began


def standing_of(drill: RecoveryDrill) -> Standing:
    """Return how a rehearsal stands; what it had shown when it ended stays so."""
    setup = recovery_setups.setup_of(safe=drill.safe, module=Address(drill.module))
    is_on = setup is not None and setup.is_active
    current = set(recovery_setups.addresses_of(setup)) if is_on else set()
    newest = {}
    for row in drill.answers.order_by("pk"):
        row.drill = drill
        newest[Address(row.guardian)] = row
    asked = drill.guardian_list
    lines = [
        DrillLine(
            named=name,
            is_gone=name.address not in current,
            answer=newest.get(name.address),
        )
        for name in guardian_names.named(safe=drill.safe, addresses=asked)
    ]
    left = [line for line in lines if not line.is_gone]
    tally = Tally(
        answered=sum(line.has_answered for line in left),
        asked=len(left),
        needed=setup.threshold if setup is not None and is_on else 0,
    )
    return Standing(lines=lines, tally=tally, unasked=len(current - set(asked)))


def tally_of(drill: RecoveryDrill) -> Tally:
    """Return what a rehearsal comes to, by who guards the account now."""
    return standing_of(drill).tally


def kept_tally_of(drill: RecoveryDrill) -> Tally:
    """Return what a rehearsal came to when it ended."""
    return Tally(answered=drill.answered, asked=drill.asked, needed=drill.needed)


def words_of(tally: Tally, *, is_over: bool) -> str:
    """Return in a sentence whether it would have been enough."""
    if tally.needed == 0:
        return "These guardians cannot recover the account any more."
    have = "has" if tally.answered == 1 else "have"
    if tally.is_enough:
        verdict = "this recovery would have worked"
    else:
        verdict = "this recovery would not have worked" + ("" if is_over else " yet")
    return (
        f"{tally.answered} of {tally.asked} {have} answered, {tally.needed} would be "
        f"enough: {verdict}."
    )
