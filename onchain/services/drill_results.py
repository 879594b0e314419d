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


def tally_of(drill: RecoveryDrill) -> Tally:
    """Return how a rehearsal stands now."""
    setup = recovery_setups.setup_of(safe=drill.safe, module=Address(drill.module))
    is_on = setup is not None and setup.is_active
    guardians = recovery_setups.addresses_of(setup) if is_on else []
    asked = set(drill.guardian_list) & set(guardians)
    valid = drill.answers.filter(status=Status.VALID)
    answered = asked & {Address(row.guardian) for row in valid}
    return Tally(
        answered=len(answered),
        asked=len(asked),
        needed=setup.threshold if setup is not None and is_on else 0,
    )


def kept_tally_of(drill: RecoveryDrill) -> Tally:
    """Return how a rehearsal stood when it ended, or stands if it has not."""
    if drill.is_running:
        return tally_of(drill)
    return Tally(answered=drill.answered, asked=drill.asked, needed=drill.needed)


def lines_of(drill: RecoveryDrill) -> Sequence[DrillLine]:
    """Return everybody who was asked, in the module's order, and what became of it."""
    setup = recovery_setups.setup_of(safe=drill.safe, module=Address(drill.module))
    current = set(recovery_setups.addresses_of(setup))
    newest = {}
    for row in drill.answers.select_related("drill").order_by("pk"):
        newest[Address(row.guardian)] = row
    named = guardian_names.named(safe=drill.safe, addresses=drill.guardian_list)
    return [
        DrillLine(
            named=name,
            is_gone=name.address not in current,
            answer=newest.get(name.address),
        )
        for name in named
    ]
