"""Whether those an account began with still own it.

Its address comes from its first owners on every chain (``Safe.setup_data``). Who was
one of them and was removed here can still be its owner where it does not exist yet.
"""

from __future__ import annotations

from onchain.models import Safe
from onchain.protocol.safe import setup_owners


def have_left(*, safe: Safe) -> bool:
    """Whether a first owner is an owner no more; False where the first are not known.

    A passkey that signs through another contract now, as after the shared signer, has
    not left. One query.
    """
    setup = bytes(safe.setup_data)
    if not setup:
        return False
    rows = list(safe.owners.all())
    current = {bytes(row.address) for row in rows if row.is_current}
    keys = {row.credential_id for row in rows if row.is_current} - {None}
    moved = {bytes(row.address) for row in rows if row.credential_id in keys}
    return not set(setup_owners(setup)) <= current | moved
