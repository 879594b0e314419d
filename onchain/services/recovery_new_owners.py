"""Who may own an account after a recovery: the module's rules, each with its words."""

from __future__ import annotations

from collections.abc import Sequence

from onchain.errors import RecoveryRefused
from onchain.protocol.deployments import SHARED_SIGNER
from onchain.protocol.recovery import Recovery
from onchain.protocol.recovery_owners import require_recoverable
from onchain.protocol.types import SENTINEL_ADDRESS, ZERO_ADDRESS, Address

MOST = 20


def refuse(
    recovery: Recovery, *, signer: Address, guardians: Sequence[Address]
) -> None:
    """Check new owners by the rules that finalising will apply, and say which breaks.

    Raises:
        RecoveryRefused: with words for each reason.
    """
    owners = list(recovery.new_owners)
    count = len(owners)
    words = ""
    if not owners:
        words = "An account needs an owner."
    elif count > MOST:
        words = f"A recovery names {MOST} owners at most."
    elif {ZERO_ADDRESS, SENTINEL_ADDRESS} & set(owners):
        words = "The addresses 0x0 and 0x1 cannot own an account."
    elif recovery.account in owners:
        words = "An account cannot own itself."
    elif SHARED_SIGNER in owners:
        words = (
            "The shared signer cannot be among the new owners: a recovered account "
            "needs keys with addresses of their own."
        )
    elif len(set(owners)) != count:
        words = "An owner is named twice."
    elif set(owners) & set(guardians):
        words = "A guardian cannot be an owner. Recovery would never finish."
    elif signer not in owners:
        words = "Your new key is missing among the new owners."
    elif not 1 <= recovery.new_threshold <= count:
        words = f"Between 1 and {count} of {count} owners must approve."
    if words:
        raise RecoveryRefused(words)
    require_recoverable(recovery, guardians=guardians)
