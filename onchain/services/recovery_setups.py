"""What the rows say of an account's recovery: its module, its guardians, a request."""

from __future__ import annotations

from onchain.guardian_errors import RecoveryOff, RecoveryUnread
from onchain.models import Guardian, RecoverySetup, Safe
from onchain.protocol.types import Address


def setup_of(*, safe: Safe, module: Address) -> RecoverySetup | None:
    """Return what is known of one module; None: it never acted for the account."""
    return RecoverySetup.objects.filter(safe=safe, module=module).first()


def active(safe: Safe) -> RecoverySetup | None:
    """Return by which module guardians can bring the account back, if they can."""
    enabled = RecoverySetup.objects.filter(safe=safe, is_enabled=True, threshold__gt=0)
    return enabled.first()


def require_read(*, safe: Safe, module: Address) -> RecoverySetup | None:
    """Return what is known of a module, once it was read.

    Raises:
        RecoveryUnread: it is to be read again.
    """
    setup = setup_of(safe=safe, module=module)
    if setup is not None and setup.read_block is None:
        raise RecoveryUnread
    return setup


def require_active(*, safe: Safe, module: Address) -> RecoverySetup:
    """Return the module by which guardians can bring the account back.

    Raises:
        RecoveryUnread: it is to be read again.
        RecoveryOff: they cannot by this one.
    """
    setup = require_read(safe=safe, module=module)
    if setup is None or not setup.is_active:
        raise RecoveryOff
    return setup


def require_enabled(*, safe: Safe, module: Address) -> RecoverySetup:
    """Return a module that the account lets act, with guardians or without.

    Raises:
        RecoveryUnread: it is to be read again.
        RecoveryOff: the account does not.
    """
    setup = require_read(safe=safe, module=module)
    if setup is None or not setup.is_enabled:
        raise RecoveryOff
    return setup


def guardians_of(setup: RecoverySetup | None) -> list[Guardian]:
    """Return the guardians that the module has, in its own order."""
    if setup is None:
        return []
    rows = setup.guardians.current().select_related("credential__user", "holder")
    return list(rows.order_by("position"))


def addresses_of(setup: RecoverySetup | None) -> list[Address]:
    """Return their addresses, in the module's own order."""
    return [Address(guardian.address) for guardian in guardians_of(setup)]
