"""What may act for an account beside its owners: written into rows, and acknowledged.

Read with the owners, where an account's own event points (security.md R67). An account
that was set up here has nothing of the kind until somebody gives it to it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from accounts.models import User
from onchain.models import (
    ConfigurationAcknowledgement,
    ForeignConfiguration,
    Safe,
)
from onchain.protocol.allowances import Allowance, Allowances
from onchain.protocol.configuration import Configuration, seen_hash
from onchain.protocol.owners import AccountOwners
from onchain.protocol.types import Address, Bytes32, checksum_address

logger = logging.getLogger(__name__)

UNREADABLE = "unreadable"  # the kind of finding


def apply(
    *,
    found: Mapping[Safe, Configuration | None],
    owners: Mapping[Safe, AccountOwners | None],
    block_number: int,
) -> None:
    """Write what was read; repeating it changes nothing.

    An account that names its owners and not its configuration hides something: that is
    a finding of its own. Call it in the transaction of the block.
    """
    for safe, configuration in found.items():
        if configuration is not None:
            write(safe=safe, configuration=configuration, block_number=block_number)
        elif owners.get(safe) is not None:
            hidden = [(UNREADABLE, Address(safe.address))]
            _keep(safe, hidden, None, block_number)


def write(*, safe: Safe, configuration: Configuration, block_number: int) -> None:
    """Keep what is foreign in an account, and nothing where nothing is.

    The order of its modules is kept for recovery as well, which is not foreign.
    """
    foreign = configuration.foreign
    if not foreign and not configuration.recovery_modules:
        ForeignConfiguration.objects.filter(safe=safe).delete()
        return
    _keep(safe, foreign, configuration, block_number)


def _keep(
    safe: Safe,
    foreign: Sequence[tuple[str, Address]],
    configuration: Configuration | None,
    block_number: int,
) -> None:
    modules = () if configuration is None else configuration.modules
    found = Allowances() if configuration is None else configuration.allowances
    _row, created = ForeignConfiguration.objects.update_or_create(
        safe=safe,
        defaults={
            "findings": [[kind, checksum_address(at)] for kind, at in foreign],
            "modules": [checksum_address(at) for at in modules],
            "allowances": [_as_row(each) for each in found.given],
            "has_all_allowances": found.is_complete,
            "seen_hash": seen_hash(foreign),
            "block_number": block_number,
        },
    )
    if created and foreign:
        logger.warning("safe %s has a foreign configuration", safe.pk)


def _as_row(allowance: Allowance) -> dict[str, str | int]:
    """Return an allowance as JSON keeps it: amounts are wider than its numbers."""
    return {
        "module": checksum_address(allowance.module),
        "delegate": checksum_address(allowance.delegate),
        "token": checksum_address(allowance.token),
        "amount": str(allowance.amount),
        "spent": str(allowance.spent),
        "reset_minutes": allowance.reset_minutes,
    }


def foreign_in(safe: Safe) -> ForeignConfiguration | None:
    """Return what is foreign in an account, None where nothing is."""
    row = ForeignConfiguration.objects.filter(safe=safe).first()
    return row if row is not None and row.findings else None


def loaded_with(safe: Safe) -> ForeignConfiguration | None:
    """Return the same without a query, where it was loaded with the account."""
    row: ForeignConfiguration | None = getattr(safe, "foreign_configuration", None)
    return row if row is not None and row.findings else None


def unacknowledged(*, safe: Safe, user: User) -> ForeignConfiguration | None:
    """Return what is foreign in an account and not yet acknowledged by the person."""
    foreign = foreign_in(safe)
    if foreign is None:
        return None
    said = ConfigurationAcknowledgement.objects.filter(
        safe=safe, user=user, seen_hash=foreign.seen_hash
    )
    return None if said.exists() else foreign


def acknowledge(*, safe: Safe, user: User, seen: Bytes32) -> bool:
    """Remember that the person knows what they saw; False if it is another by now.

    Safe to repeat.
    """
    foreign = foreign_in(safe)
    if foreign is None or foreign.seen_hash != seen:
        return False
    ConfigurationAcknowledgement.objects.get_or_create(
        safe=safe, user=user, seen_hash=seen
    )
    return True
