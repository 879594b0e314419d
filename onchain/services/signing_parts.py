"""What the browser needs beside the calls to make them anew: a set-up, or a change.

Fields, never data: static/js/signing.js encodes them itself (security.md R15).
"""

from __future__ import annotations

from typing import Any

from onchain.models import UserOperation
from onchain.models.operation_kinds import GUARDIAN_KINDS
from onchain.protocol.deployments import SIGNER_SINGLETON
from onchain.protocol.types import Address, PublicKey, checksum_address, to_hex
from onchain.services import guardian_parts, intents, set_up, signers

Kind = UserOperation.Kind
Parts = dict[str, dict[str, Any]]
# Of which columns each kind of change consists, as the browser names them.
COLUMNS = {"previous": "previous", "removed": "removed", "owner": "new_signer"}
ADDITION = ("owner", "threshold")
FIELDS: dict[str, tuple[str, ...]] = {
    Kind.ADD_PASSKEY: ADDITION,
    Kind.ADD_WALLET: ADDITION,
    Kind.SWAP_OWNER: ("previous", "removed", "owner"),
    Kind.REMOVE_OWNER: ("previous", "removed", "threshold"),
    Kind.CHANGE_THRESHOLD: ("threshold",),
    Kind.DISABLE_MODULE: ("previous", "removed"),
    Kind.REMOVE_GUARD: (),
}


def asked_parts(op: UserOperation) -> Parts:
    """Return what an operation changes in its account; nothing for a payment.

    A passkey that becomes an owner is named with its key, and what only uses up a
    nonce with that nonce.

    Raises:
        ValueError: the row names no passkey where it must.
    """
    if op.is_payment:
        return {}
    if op.kind == Kind.CANCEL:
        return {"cancels": {"nonce": str(op.to_protocol().nonce)}}
    if op.kind in GUARDIAN_KINDS:
        return {"change": guardian_parts.change_of(op)}
    change: dict[str, Any] = {"kind": str(op.kind)}
    for field in FIELDS[op.kind]:
        if field == "threshold":
            change[field] = str(op.new_threshold)
        else:
            change[field] = checksum_address(getattr(op, COLUMNS[field]))
    if op.new_credential_id is None:
        return {"change": change}
    public_key = intents.new_public_key(op)
    signer = _signer(op, public_key, Address(op.new_signer or b""))
    return {"change": change, "newOwner": signer}


def set_up_parts(op: UserOperation) -> Parts:
    """Return the signer that the operation installs, and how the account is made.

    Raises:
        ValueError: the stored set-up is not that of the account's passkey.
    """
    if not op.installs_signer:
        return {}
    public_key = set_up.public_key_of(op)
    signer = signers.signer_for(public_key=public_key, safe=op.safe)
    found = {"setUp": _signer(op, public_key, signer)}
    if op.factory is not None:
        if set_up.changed(op):
            raise intents.IntentChanged(f"{op} would make another account")
        found["creation"] = {"saltNonce": str(op.safe.salt_nonce)}
    return found


def _signer(
    op: UserOperation, public_key: PublicKey, signer: Address
) -> dict[str, str]:
    """Return all that a signer's address follows from, for the browser to redo.

    Its CREATE2: the signer factory, salt 0, keccak-256 of the proxy's creation code
    and abi(singleton, x, y, verifiers).
    """
    return {
        "x": str(public_key.x),
        "y": str(public_key.y),
        "signer": checksum_address(signer),
        "proxyCode": to_hex(bytes(op.safe.chain.signer_proxy_code or b"")),
        "singleton": checksum_address(SIGNER_SINGLETON),
        "verifiers": str(op.safe.verifiers),
    }
