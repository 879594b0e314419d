"""Whether an address guards an account, so that it cannot be an owner as well."""

from __future__ import annotations

from onchain.models import Guardian, KeyProof, Safe, WalletProof
from onchain.protocol.types import Address


def is_guardian(*, safe: Safe, address: Address) -> bool:
    """Whether the address guards the account, or showed that it signs as a guardian.

    One that both owns and guards would block a recovery: the recovery module takes
    no owner as a guardian and no guardian as a new owner.
    """
    proven = {"status": KeyProof.Status.PROVEN, "role": KeyProof.Role.GUARDIAN}
    current = Guardian.objects.current().filter(
        setup__safe=safe, setup__is_enabled=True, address=address
    )
    return (
        current.exists()
        or KeyProof.objects.filter(safe=safe, signer=address, **proven).exists()
        or WalletProof.objects.filter(safe=safe, address=address, **proven).exists()
    )
