"""What the chain itself says of guardians, before a change of them can be signed (R67).

Rows are a cache: an account that came from elsewhere may have guardians in a module
that it switched off, of whom this site has never heard. They would count again at once.
"""

from __future__ import annotations

from onchain.clients.errors import ClientError
from onchain.clients.node import Node
from onchain.models import RecoverySetup, UserOperation
from onchain.models.operation_kinds import GUARDIAN_KINDS
from onchain.protocol.types import Address
from onchain.services import guardian_rules

Kind = UserOperation.Kind
NO_MODULE = "no-module-there"


def refuse_what_differs(op: UserOperation, node: Node) -> None:
    """Hold that the chain has what the change began from, and that guardians exist.

    What differs is to be read again, so that asking once more begins from there.

    Raises:
        ClientError: guardians, threshold, module or request are other ones, or nobody
            is at an address that nobody has proven.
        TransientClientError: the node did not answer.
    """
    if op.kind not in GUARDIAN_KINDS:
        return
    if code := _difference(op, node):
        if code != NO_MODULE:
            _read_again(op)
        raise ClientError(code)
    _refuse_nobody(op, node)


def _difference(op: UserOperation, node: Node) -> str:
    _chain_id, head = node.chain_id_and_head()
    pair = (Address(op.safe.address), Address(op.module or b""))
    (found,) = node.recovery_records([pair], head.hash)
    if found.guardians is None or not found.tells_request:
        return NO_MODULE
    has_begun = found.request is not None
    if op.kind == Kind.CANCEL_RECOVERY:
        return "" if has_begun else "recovery-ended"
    enables = op.kind == Kind.SET_UP_RECOVERY and op.enables_module
    if found.is_enabled == enables:
        return "recovery-changed"
    told = (list(found.guardians), found.threshold)
    if told != (op.guardian_list_before, op.threshold_before):
        return "guardians-changed"
    if has_begun != op.cancels_recovery:
        return "recovery-begun" if has_begun else "recovery-ended"
    return ""


def _read_again(op: UserOperation) -> None:
    """Let the follower read the module where the chain says something else of it."""
    RecoverySetup.objects.update_or_create(
        safe=op.safe,
        module=op.module,
        defaults={"read_block": None},
    )


def _refuse_nobody(op: UserOperation, node: Node) -> None:
    """Hold that only a contract becomes a guardian without having proven itself.

    Raises:
        ClientError: there is no contract at such an address.
    """
    if not op.is_proof_waived:
        return
    unproven = [
        guardian
        for guardian in op.guardian_list
        if not guardian_rules.is_proven(
            safe=op.safe, user=op.created_by, address=guardian
        )
    ]
    if unproven and not all(node.codes(unproven, "latest")):
        raise ClientError("no-contract-there")
