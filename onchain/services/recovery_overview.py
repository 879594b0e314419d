"""How recovery stands for an account, as its page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.models import Guardian, RecoverySetup, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.types import Address
from onchain.services import guardian_names, owner_news, recovery_setups
from onchain.services.guardian_names import NamedGuardian

Kind = UserOperation.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianLine:
    """One guardian: what the chain has, and what people call it."""

    guardian: Guardian
    named: NamedGuardian
    is_from_here: bool  # an operation of this site added it


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupView:
    """One module that the account lets act, with its guardians."""

    setup: RecoverySetup
    lines: Sequence[GuardianLine]
    own_count: int  # of the guardians, keys of the owners themselves

    @property
    def is_of_one_site(self) -> bool:
        """Whether every guardian is a passkey, which works on one web address only."""
        return all(line.guardian.kind == Guardian.Kind.PASSKEY for line in self.lines)

    @property
    def others_are_too_few(self) -> bool:
        """Whether nobody can recover the account once owners lose all their keys."""
        others = len(self.lines) - self.own_count
        return self.own_count > 0 and others < self.setup.threshold

    @property
    def is_foreign(self) -> bool:
        """Whether somebody guards whom nobody made a guardian here."""
        return any(not line.is_from_here for line in self.lines)


def setups_of(safe: Safe) -> list[SetupView]:
    """Return the modules that the account lets act, mostly one or none."""
    rows = safe.recovery_setups.filter(is_enabled=True).order_by("pk")
    return [_view(setup) for setup in rows]


def _view(setup: RecoverySetup) -> SetupView:
    guardians = recovery_setups.guardians_of(setup)
    addresses = [Address(row.address) for row in guardians]
    named = guardian_names.named(safe=setup.safe, addresses=addresses)
    ours = _added_here(setup)
    people = {user.pk for user in owner_news.signing(setup.safe)}
    return SetupView(
        setup=setup,
        own_count=sum(
            row.person is not None and row.person.pk in people for row in guardians
        ),
        lines=[
            GuardianLine(
                guardian=row, named=name, is_from_here=Address(row.address) in ours
            )
            for row, name in zip(guardians, named, strict=True)
        ],
    )


def _added_here(setup: RecoverySetup) -> set[Address]:
    """Return everybody whom an operation of this site made a guardian."""
    operations = UserOperation.objects.filter(
        safe=setup.safe,
        module=setup.module,
        kind__in=(Kind.SET_UP_RECOVERY, Kind.ADD_GUARDIAN),
        status=Status.INCLUDED,
    )
    return {address for op in operations for address in op.guardian_list}
